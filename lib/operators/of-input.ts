import type { OlderForm, Serde } from '../format/serde.ts';

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
  const made = oneOf(inputs);
  const [, ...earlier] = formsOf(inputs);
  const older = earlier.map((forms): OlderForm => {
    const { name, read } = oneOf(forms);
    return { name, read };
  });
  return older.length === 0 ? made : { ...made, older };
}

/** More ways in which several inputs were written at once are not read: a start says so. */
const MOST_FORMS = 256;

/** The inputs in each form in which they may have been written together, that of now first. */
function formsOf(inputs: readonly KeptInput[]): readonly (readonly KeptInput[])[] {
  return inputs.reduce<readonly (readonly KeptInput[])[]>(
    (before, input) => {
      const { name, value } = input;
      const own = [input, ...(value.older ?? []).map((form): KeptInput => ({ name, value: { ...form, write: value.write } }))];
      return before.flatMap((forms) => own.map((form) => [...forms, form])).slice(0, MOST_FORMS);
    },
    [[]],
  );
}

function oneOf(inputs: readonly KeptInput[]): Serde<unknown> {
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
