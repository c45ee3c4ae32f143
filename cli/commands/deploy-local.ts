import { plainCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { flag, named, portNumber, wholeNumber } from '../options.ts';

const PARTITIONS = 3;

export default plainCommand({
  name: 'deploy-local',
  usage: "deploys the project's CDK app to an AWS emulator here, and runs it there; lines that you type are its input",
  more: `The app is that of cdk.json in this folder, STACK one of its stacks (default all). Each StreamJob in it gets an embedded Kafka (with Java),
whose topics are made, and Lambda, DynamoDB and S3 of an emulator (with Python); network, logins, alarms and adopted storage are left out
there. Nothing is kept. Output goes to standard output, all else to standard error.`,
  arguments: { takes: '[STACK]', most: 1 },
  json: 'a JSON object for each record',
  options: {
    partitions: wholeNumber({ takes: 'N', default: PARTITIONS, help: 'of topics' }),
    input: named('SOURCE', 'which source gets the lines, by uid or topic (default the only one)'),
    port: portNumber('of the embedded Kafka (default one that is free)'),
    once: flag('ends when all that was piped in is committed'),
  },
  examples: [
    { call: 'deploy-local', does: 'until Ctrl-C: type lines, see what is committed' },
    { call: 'deploy-local --once', does: 'with "< in.txt > out.txt": a trial of the deployment, for a script' },
  ],
  async run({ env, say, show, json }, values, [stack]) {
    const { deployLocal } = await import('../../dev/deployment/deploy-local.ts');
    const isWell = await deployLocal({ ...values, env, project: process.cwd(), stack, say, show, json, stdin: process.stdin });
    return { code: isWell ? EXIT.ok : EXIT.failed, json: undefined, text: '' };
  },
});
