import { Dice, hashOf } from '../kernel/dice.ts';
import type { Faults } from '../kernel/faults.ts';
import { faultOf, kindsOf, RATES } from './fault-kinds.ts';
import type { Focus } from './focus.ts';
import { FOCUSED_FAULTS } from './focused-faults.ts';
import type { Part } from './part.ts';

/** Calls that are made only when something went wrong already: faults are more likely there. */
const RARE = [
  'look',
  'search',
  'describeProducers',
  'recordSentAgain',
  'invoke resolve',
  'decide',
  'commit',
  'recordCommitted',
  'raiseGeneration',
  'retireThrough',
  'listEpochs',
  'delete',
  'forgetEpochs',
  'deleteEpochs',
  'deleteJob',
];

/** How likely a leader refuses output that is sent outside a transaction: it must come in its order all the same. */
const PLAIN_REFUSED = 0.08;

/** Faults for one seed: some kinds of them, more or less often; each by the name of its call and nothing else. */
export const drawFaults: Part = ({ seed }, focus) => ({ faults: faultsOf(seed, focus), startsTwice: focus === 'starts' });

function faultsOf(seed: number, focus: Focus): Faults {
  const { dice, scale, kinds } = kindsOf(seed);
  const active = kinds.map((kind) => ({ kind, rate: RATES[kind] * scale * dice.spread(0.3, 3) }));
  const longest = ['anything', 'commands', 'savepoints', 'pins', 'moves'].includes(focus)
    ? dice.spread(2_000, 90_000)
    : dice.spread(1_000, 8_000);
  return (call) => {
    const own = new Dice(hashOf(seed, `fault ${call.id}`));
    for (const { kind, apis, rate } of FOCUSED_FAULTS[focus])
      if (apis.includes(call.api) && own.chance(rate)) return faultOf(kind, call, own, longest);
    if (call.api === 'produce' && call.about.startsWith('plain') && own.chance(PLAIN_REFUSED)) return { fault: 'error' };
    if (focus !== 'anything') return undefined;
    const more = RARE.includes(call.api) ? 4 : 1;
    for (const { kind, rate } of active) {
      if (!own.chance(Math.min(rate * more, 0.5))) continue;
      const fault = faultOf(kind, call, own, longest);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
}
