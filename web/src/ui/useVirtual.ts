import type { RefObject } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows that are drawn beyond what is seen, on either side. */
const OVERSCAN = 12;
/** What is drawn changes every so many rows, not with each of them. */
const STEP = 8;

interface Options {
  readonly count: number;
  /** In CSS pixels; all rows have it. */
  readonly rowHeight: number;
  readonly scroller: RefObject<HTMLElement>;
}

export interface Virtual {
  /** Index of the first row to be drawn, and of the first after the last. */
  readonly first: number;
  readonly end: number;
  /** Brings a row into view, if it is not. */
  readonly show: (index: number) => void;
}

/** Rows of a view that begins at `top` pixels and is `height` high. */
export function rangeOf(top: number, height: number, rowHeight: number, count: number): readonly [first: number, end: number] {
  const first = Math.floor((top / rowHeight - OVERSCAN) / STEP) * STEP;
  const end = Math.ceil(((top + height) / rowHeight + OVERSCAN) / STEP) * STEP;
  return [Math.min(Math.max(first, 0), count), Math.min(Math.max(end, 0), count)];
}

/** Which rows of a long list are to be drawn. Rows have one height, so nothing is measured or kept for each of them. */
export function useVirtual({ count, rowHeight, scroller }: Options): Virtual {
  const [view, setView] = useState({ top: 0, height: 0 });
  const [first, end] = rangeOf(view.top, view.height, rowHeight, count);
  const drawn = useRef({ first, end, count, rowHeight });
  drawn.current = { first, end, count, rowHeight };

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      const now = drawn.current;
      const [nextFirst, nextEnd] = rangeOf(element.scrollTop, element.clientHeight, now.rowHeight, now.count);
      if (nextFirst !== now.first || nextEnd !== now.end) setView({ top: element.scrollTop, height: element.clientHeight });
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    const resized = new ResizeObserver(look);
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      resized.disconnect();
    };
  }, []);

  return {
    first,
    end,
    show: (index) => {
      const element = scroller.current;
      if (!element) return;
      // The head stays on top of the rows, and is as high as the rows begin below the top.
      const head = element.querySelector<HTMLElement>('.table-head')?.offsetHeight ?? 0;
      const top = index * rowHeight;
      const lowest = top + rowHeight + head - element.clientHeight;
      if (element.scrollTop > top) element.scrollTop = top;
      else if (element.scrollTop < lowest) element.scrollTop = lowest;
    },
  };
}
