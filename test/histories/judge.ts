/** `npm run histories`: see USAGE. */
import { argumentsOf, wholeNumber } from '../../local/command.ts';
import { wrongIn } from './plain-check.ts';
import { buildPorcupine, hasGo, porcupineOn } from './porcupine.ts';
import { simulatedHistory } from './simulated.ts';

const USAGE = `npm run histories -- [--seeds N] [--from F]

Runs a job that appends to lists in the worlds of seeds F … F + N - 1 (default 1 … 300), with their faults, and has what its readers saw judged twice:
by Porcupine, a public checker of linearizability (Go brings it; without Go it is left out, and the last line says so), and by a plain check of our
own. Ends with 1 when either finds something.`;

const options = { seeds: { type: 'string', default: '300' }, from: { type: 'string', default: '1' } } as const;
const { seeds, from } = argumentsOf({ name: 'npm run histories', usage: USAGE, options }, (given) => ({
  seeds: wholeNumber('seeds', given.seeds, 1),
  from: wholeNumber('from', given.from, 0),
}));

Error.stackTraceLimit = 0;
const judges = hasGo();
if (judges) buildPorcupine();
let [histories, appends, faults, wrong] = [0, 0, 0, 0];
for (let seed = from; seed < from + seeds; seed++) {
  const simulated = await simulatedHistory(seed);
  if (simulated === undefined) continue;
  const { history, outcome } = simulated;
  histories++;
  appends += history.appends.length;
  faults += outcome.injected.length;
  const said = judges ? await porcupineOn(history) : undefined;
  const found = [
    ...wrongIn(history),
    ...(said === undefined ? [] : [`Porcupine: ${said}`]),
    ...outcome.violations.map(({ message }) => message),
  ];
  for (const line of found) console.log(`seed ${seed}: ${line}`);
  if (found.length > 0) wrong++;
}
console.log(
  `${histories} histories with ${appends} appends and ${faults} faults; ${wrong} are wrong; judged by ${judges ? 'Porcupine and the plain check' : 'the plain check alone: there is no Go here, which brings Porcupine'}`,
);
process.exitCode = wrong > 0 ? 1 : 0;
