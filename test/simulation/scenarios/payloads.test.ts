import { expect, it } from 'vitest';
import { InvokeError } from '../../../lib/ports/function-invoker.ts';
import type { World } from '../world.ts';
import { ends, failedAttempts, story } from './story.ts';

/** The platform refuses requests of this kind, from epoch 2 on, as larger than it takes. */
const refusing = (refused: string) => (world: World) => {
  const { functions } = world;
  const invokerFor = functions.invokerFor.bind(functions);
  functions.invokerFor = (caller) => {
    const invoker = invokerFor(caller);
    return {
      invoke: async (target, payload, options) => {
        const { ask, epoch } = payload as { readonly ask: string; readonly epoch: number };
        if (ask === refused && epoch >= 2) throw new InvokeError(target, 'its request has 7000000 bytes', { fatal: true });
        return invoker.invoke(target, payload, options);
      },
    };
  };
};

it.each(['read', 'process', 'prepare'])(
  'a request to %s that is too large stops the job, which names the size: it is not repeated',
  async (ask) => {
    const told = await story([], { prepare: refusing(ask), mayFail: /epoch 2, stage .* has 7000000 bytes/ });
    expect(ends(told)).toEqual(['failed']);
    expect(failedAttempts(told)).toBe(0);
    expect(told.epochs).toBe(2);
  },
);

it('a request to commit that is too large stops the job with its epoch decided, so that it can be committed later', async () => {
  const told = await story([], { prepare: refusing('commit'), mayFail: /commit of epoch 2: .* has 7000000 bytes/ });
  expect(ends(told)).toEqual(['failed']);
  expect(told.epochs).toBe(3);
});
