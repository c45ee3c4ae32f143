import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { reasonIn } from '../../../dev/deployment/project-cdk.ts';
import { projectFolder, startCommand } from '../../support/dev-process.ts';

const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

// Each starts the command, and some the CDK's.
vi.setConfig({ testTimeout: 120_000 });

/** Ends with exit code 2, one message, and nothing on standard output; the message. */
async function refusal(folder: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const command = startCommand(folder, ['deploy-local', ...args], env);
  command.child.stdin?.end();
  expect({ code: await command.ended, shown: command.shown(), said: command.said() }).toEqual({
    code: 2,
    shown: [],
    said: expect.stringMatching(/^(cdk synth[^\n]*\n)*onceflow: [\s\S]*\n$/),
  });
  expect(command.said().match(/^onceflow: /gm)).toHaveLength(1);
  return command.said();
}

/** @param app the text of its app. Without the CDK's library, whose loading takes seconds */
function withApp(app: string): string {
  const folder = projectFolder();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'cdk.json'), '{ "app": "node app.ts" }');
  writeFileSync(join(folder, 'app.ts'), app);
  symlinkSync(MODULES, join(folder, 'node_modules'));
  return folder;
}

it('a folder without an app, and one without the command line of the CDK, are told what is missing', async () => {
  const folder = projectFolder();
  expect(await refusal(folder)).toContain(`there is no cdk.json in ${folder}`);
  writeFileSync(join(folder, 'cdk.json'), '{}');
  expect(await refusal(folder)).toContain(`the CDK's command line is not installed in ${folder}: npm install --save-dev aws-cdk`);
});

it.each([
  [['--port', '0'], '--port is "0": it must be a port, from 1 to 65535'],
  [['--dir', 'kept'], 'deploy-local takes no --dir'],
  [['one', 'two'], 'unexpected two: onceflow deploy-local [STACK]'],
])('%j is refused', async (args, message) => {
  expect(await refusal(projectFolder(), args)).toContain(message);
});

it('an app that throws is told by its error, before anything starts', async () => {
  expect(await refusal(withApp("throw new RangeError('no stack today');"))).toMatch(
    /onceflow: cdk synth ended with 1: RangeError: no stack today \("onceflow --help" shows how\)\n$/,
  );
});

it('an app without a job, and a stack that it does not have, are refused before anything starts', async () => {
  const stack = { type: 'aws:cloudformation:stack', environment: 'aws://unknown-account/unknown-region' };
  const manifest = { version: '36.0.0', artifacts: { Empty: { ...stack, properties: { templateFile: 'Empty.template.json' } } } };
  const app = withApp(`import { mkdirSync, writeFileSync } from 'node:fs';
const write = (name: string, text: string) => writeFileSync(process.env['CDK_OUTDIR'] + '/' + name, text);
mkdirSync(process.env['CDK_OUTDIR'] ?? '', { recursive: true });
write('manifest.json', ${JSON.stringify(JSON.stringify(manifest))});
write('Empty.template.json', '{ "Resources": {} }');
`);
  expect(await refusal(app)).toContain('no job is in Empty: one is a StreamJob of onceflow/cdk');
  expect(await refusal(app, ['Other'])).toContain('the CDK app has no stack Other: its stacks are Empty');
});

it('a machine without Java and Python is told what to install', async () => {
  const folder = withApp('');
  mkdirSync(join(folder, 'nothing'));
  expect(await refusal(folder, [], { PATH: join(folder, 'nothing') })).toMatch(
    /^onceflow: Kafka needs Java, and the AWS emulator Python: this machine lacks Java 17 or newer, Python 3\.10 or newer with venv/,
  );
});

it('of what an app says before it ends, the error is told, without where it was thrown', () => {
  const said = `a warning\n/shop/node_modules/onceflow/dist/x.js:12\n    throw new ConfigError(faults);\n          ^\n\nConfigError: ONCEFLOW_LEASE_MS="1" must be more\n  and this\n    at readSettings (file:///x.js:1:2)\n    at y\n\nNode.js v24.21.0\nnode app.ts: Subprocess exited with error 1\n`;
  expect(reasonIn(said)).toBe('ConfigError: ONCEFLOW_LEASE_MS="1" must be more\n  and this');
  expect(reasonIn('deployment failed\nfor some reason\n')).toBe('deployment failed\nfor some reason');
});
