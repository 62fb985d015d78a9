/** The next round number (1, 2, 5 times a power of ten) that holds `value`. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((step) => step * power >= value) ?? 10;
  return factor * power;
}

const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

export const compact = (value: number): string => COMPACT.format(value);

/** A share as people write it; what is not nothing never reads as 0 %, and what is not all never as 100 %. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${share * 100} %`;
  if (share < 0.0001) return '< 0.01 %';
  if (share > 0.9995) return '> 99.9 %';
  const value = share * 100;
  return `${value > 99 ? value.toFixed(1) : value >= 10 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}
