import type { Serde } from '../format/serde.ts';

/** A row of an operator with several inputs, while it is kept. */
export interface OfInput {
  readonly input: number;
  readonly value: unknown;
}

/** How the rows of these inputs are written while they are kept: as they crossed the exchange, and of several inputs behind which it is. */
export function inputsSerde(inputs: readonly Serde<unknown>[]): Serde<unknown> {
  const [only] = inputs;
  if (only !== undefined && inputs.length === 1) return only;
  const serdeOf = (input: number) => {
    const serde = inputs[input];
    if (serde === undefined) throw new TypeError(`a row is kept that is of input ${input}, and there are ${inputs.length}`);
    return serde;
  };
  return {
    name: `one of (${inputs.map(({ name }) => name).join(', ')})`,
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
