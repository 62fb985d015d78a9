import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

import { formatCount } from '../ui';
import './charts.css';
import { compact, percent, roundUp } from './scale';

export interface DayBar {
  /** ISO 8601 date. */
  readonly day: string;
  readonly accepted: number;
  readonly rejected: number;
}

const HEIGHT = 200;
/** Width of a date under the bars, with some air. */
const DATE = 64;
const LEFT = 40;
const RIGHT = 44;
const TOP = 8;
const BOTTOM = 22;

const DAY = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const dayName = (day: string) => DAY.format(new Date(`${day}T00:00:00Z`));

const rows = (bar: DayBar) => bar.accepted + bar.rejected;
const rate = (bar: DayBar) => (rows(bar) === 0 ? 0 : bar.rejected / rows(bar));

/** Width of an element in CSS pixels: drawn to it, text keeps its size on every screen. */
function useWidth(): readonly [RefObject<HTMLDivElement>, number] {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return [element, width];
}

/** Rows a day as bars, with the share of rejected rows as a line over them. */
export function DayBars({ bars, label }: { bars: readonly DayBar[]; label: string }) {
  const [element, width] = useWidth();
  return (
    <div class="chart-frame" ref={element}>
      {width > 0 && <Drawing bars={bars} label={label} width={width} />}
    </div>
  );
}

function Drawing({ bars, label, width }: { bars: readonly DayBar[]; label: string; width: number }) {
  const most = roundUp(Math.max(...bars.map(rows), 1));
  const worst = roundUp(Math.max(...bars.map(rate), 0.01) * 100) / 100;
  const right = width - RIGHT;
  const plotWidth = right - LEFT;
  const plotHeight = HEIGHT - TOP - BOTTOM;
  const slot = plotWidth / Math.max(bars.length, 1);
  const barWidth = Math.max(2, Math.min(28, slot * 0.62));
  const y = (value: number) => TOP + plotHeight * (1 - value / most);
  const rateY = (value: number) => TOP + plotHeight * (1 - Math.min(1, value / worst));
  const middle = (index: number) => LEFT + slot * (index + 0.5);
  const every = Math.ceil(DATE / slot);
  const days = bars.map((bar, index) => ({ bar, index }));
  const rated = days.filter(({ bar }) => rows(bar) > 0);
  const line = rated.map(({ bar, index }) => `${middle(index)},${rateY(rate(bar))}`).join(' ');
  return (
    <svg class="chart-days" width={width} height={HEIGHT} role="img" aria-label={label}>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line x1={LEFT} x2={right} y1={y(most * share)} y2={y(most * share)} />
          <text x={LEFT - 6} y={y(most * share) + 4} text-anchor="end">{compact(most * share)}</text>
          <text x={right + 6} y={y(most * share) + 4}>{percent(worst * share)}</text>
        </g>
      ))}
      {days.map(({ bar, index }) => (
        <g key={bar.day}>
          <rect class="chart-fill-accepted" x={middle(index) - barWidth / 2} width={barWidth} y={y(bar.accepted)} height={y(0) - y(bar.accepted)} />
          <rect class="chart-fill-rejected" x={middle(index) - barWidth / 2} width={barWidth} y={y(rows(bar))} height={y(bar.accepted) - y(rows(bar))} />
          {(bars.length - 1 - index) % every === 0 && <text x={middle(index)} y={HEIGHT - 6} text-anchor="middle">{dayName(bar.day)}</text>}
        </g>
      ))}
      <polyline class="chart-rate" points={line} />
      {rated.map(({ bar, index }) => (
        <circle key={bar.day} class="chart-rate-dot" cx={middle(index)} cy={rateY(rate(bar))} r="2.5" />
      ))}
      {days.map(({ bar, index }) => (
        <rect key={bar.day} class="chart-hit" x={LEFT + slot * index} width={slot} y={TOP} height={plotHeight}>
          <title>{`${dayName(bar.day)}: ${formatCount(rows(bar))} rows, ${formatCount(bar.rejected)} rejected (${percent(rate(bar))})`}</title>
        </rect>
      ))}
    </svg>
  );
}
