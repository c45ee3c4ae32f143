import type { Serde } from '../format/serde.ts';

/** A row of an operator with several inputs, while it is kept. */
export interface OfInput {
  readonly input: number;
  readonly value: unknown;
}

/** An input of such an operator. */
export interface KeptInput {
  /** The author's, of several. */
  readonly name: string;
  /** How its values cross the exchange. */
  readonly value: Serde<unknown>;
}

/**
 * How the rows of these inputs are written while they are kept: as they crossed the exchange, and of several inputs behind which it is. That
 * is a number, so what the inputs are is in the name: rows that are kept are read by no job in which the number is another input's.
 */
export function inputsSerde(inputs: readonly KeptInput[]): Serde<unknown> {
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) return only.value;
  const serdeOf = (input: number) => {
    const of = inputs[input];
    if (of === undefined) throw new TypeError(`a row is kept that is of input ${input}, and there are ${inputs.length}`);
    return of.value;
  };
  return {
    name: `one of (${inputs.map(({ name, value }) => `${name} ${value.name}`).join(', ')})`,
    write(row, out) {
      const { input, value } = row as OfInput;
      out.u8(input);
      serdeOf(input).write(value, out);
    },
    read(bytes, start, end): OfInput {
      const input = bytes[start] as number;
      return { input, value: serdeOf(input).read(bytes, start + 1, end) };
    },
  };
}
