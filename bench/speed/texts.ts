import { meets, type Published, type Range, ratioOf } from './speed.ts';

const SCALES = [
  { from: 1e6, divide: 1e6, digits: 2, sign: ' M' },
  { from: 1e4, divide: 1e3, digits: 0, sign: ' k' },
  { from: 100, divide: 1, digits: 0, sign: '' },
  { from: 10, divide: 1, digits: 1, sign: '' },
] as const;
const SMALL = { divide: 1, digits: 2, sign: '' } as const;

/** `3.18 M`, `878 MB`, `15.7`: of three figures, the unit last. */
export function valueText(value: number, unit: string): string {
  return `${scaled([value], value)}${scaleOf(value).sign}${unit === '' ? '' : ` ${unit}`}`;
}

/** `3.18 M (3.03 to 3.33)`. */
export function rangeText({ median, least, most }: Range, unit: string): string {
  if (least === undefined || most === undefined) return valueText(median, unit);
  const [middle, lower, upper] = scaled([median, least, most], median);
  return `${middle}${scaleOf(median).sign}${unit === '' ? '' : ` ${unit}`} (${lower} to ${upper})`;
}

export function ratioText(figure: Published): string {
  return ratioOf(figure)?.toFixed(2) ?? '';
}

/** `2: met`, `40 ms: missed`. */
export function targetText({ target, unit, ...figure }: Published): string {
  if (target === undefined) return '';
  const isOfItself = 'limit' in target;
  const of = isOfItself && unit !== '' ? `${target.of} ${unit}` : String(target.of);
  return `${of}: ${meets({ target, unit, ...figure }) === true ? 'met' : 'missed'}`;
}

/** Numbers that are compared look alike. Whole ones that are measured in ones stay whole. */
function scaled(values: readonly number[], scale: number): string[] {
  const { divide, digits } = scaleOf(scale);
  const isWhole = divide === 1 && values.every(Number.isInteger);
  return values.map((value) => (isWhole ? String(value) : (value / divide).toFixed(digits)));
}

function scaleOf(value: number): { readonly divide: number; readonly digits: number; readonly sign: string } {
  return SCALES.find(({ from }) => Math.abs(value) >= from) ?? SMALL;
}
