import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, parse as parseYaml } from 'yaml';
import { readToolConfig } from '../../../lib/config/read-config.ts';
import { HEALTH_PATH } from '../../../lib/workers/words.ts';
import { serveStatus } from '../../../workers/status-server.ts';

const templates = new URL('../../../templates/', import.meta.url);
const textOf = (file: string) => readFileSync(new URL(file, templates), 'utf8');

interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string };
  readonly tcpSocket?: { readonly port: string };
}
interface Container {
  readonly name: string;
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly envFrom: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly name: string }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext: { readonly runAsUser: number };
}
interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: {
        readonly serviceAccountName: string;
        readonly containers: readonly [Container];
        readonly volumes: readonly { readonly name: string; readonly secret: { readonly secretName: string } }[];
      };
    };
  };
}
interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>;
    readonly ports: readonly { readonly name: string; readonly port: number }[];
  };
}

const manifests = parseAllDocuments(textOf('containers/kubernetes.yaml')).map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Workload;
});
const workloads = manifests.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
const named = (kind: string) => manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name);

describe.each(workloads.map((each) => [`${each.kind} ${each.metadata.name}`, each] as const))('%s', (_name, { spec }) => {
  const { labels, annotations } = spec.template.metadata;
  const pod = spec.template.spec;
  const [container] = pod.containers;

  it('is probed at a port that its container has, and over HTTP where the program answers', () => {
    const ports = container.ports.map(({ name }) => name);
    for (const { httpGet, tcpSocket } of [container.livenessProbe, container.readinessProbe]) {
      expect(ports).toContain((httpGet ?? tcpSocket)?.port);
      if (httpGet !== undefined) expect(httpGet.path).toBe(HEALTH_PATH);
    }
    const scraped = annotations?.['prometheus.io/port'];
    if (scraped !== undefined) expect(container.ports.map(({ containerPort }) => `${containerPort}`)).toContain(scraped);
  });

  it('names labels, accounts, settings, volumes and secrets that there are', () => {
    expect(labels).toMatchObject(spec.selector.matchLabels);
    expect(named('ServiceAccount')).toContain(pod.serviceAccountName);
    for (const { configMapRef } of container.envFrom) expect(named('ConfigMap')).toContain(configMapRef.name);
    expect(container.volumeMounts.map(({ name }) => name)).toEqual(pod.volumes.map(({ name }) => name));
    const made = [...textOf('containers/kubernetes.yaml').matchAll(/kubectl create secret \w+ ([\w-]+)/g)].map(([, name = '']) => name);
    expect(made).toEqual(expect.arrayContaining(pod.volumes.map(({ secret }) => secret.secretName)));
  });

  it('runs as the user of the image, whom Node made with this number', () => {
    expect(textOf('containers/Dockerfile')).toMatch(/^USER node$/m);
    expect(container.securityContext.runAsUser).toBe(1_000);
  });
});

it('the service leads to pods that there are, at a port of theirs', () => {
  for (const { spec } of manifests.filter(({ kind }) => kind === 'Service') as unknown as Service[]) {
    const led = workloads.filter(({ spec: { template } }) =>
      Object.entries(spec.selector).every(([name, value]) => template.metadata.labels[name] === value),
    );
    expect(led).toHaveLength(1);
    const ports = led.flatMap(({ spec: { template } }) => template.spec.containers[0].ports);
    for (const { name, port } of spec.ports) expect(ports).toContainEqual({ name, containerPort: port });
  }
});

it('the image is made of files that a new project has once it is installed, and sets parameters that there are', () => {
  const lines = textOf('containers/Dockerfile').split('\n');
  const project = new Set([...readdirSync(new URL('stream/', templates)), 'package-lock.json']);
  const copied = lines.flatMap((line) => (/^COPY (?!--from)(.+) \S+$/.exec(line)?.[1] ?? '').split(' ').filter((file) => file !== ''));
  expect(copied).toContain('src');
  expect(copied.filter((file) => !project.has(file))).toEqual([]);
  const set = lines.flatMap((line) => /^ENV (.+)$/.exec(line)?.[1]?.split(' ') ?? []).map((pair) => pair.split('=') as [string, string]);
  const ours = Object.fromEntries(set.filter(([name]) => name.startsWith('ONCEFLOW_')));
  expect(Object.keys(ours)).toEqual(['ONCEFLOW_JOB']);
  expect(project.has(ours['ONCEFLOW_JOB']?.split('/')[1] ?? '')).toBe(true);
  readToolConfig(ours);
});

it('the workflow rolls out workloads and containers that the manifests have, and nothing else', () => {
  const workflow = parseYaml(textOf('github/deploy-containers.yml')) as {
    readonly jobs: { readonly deploy: { readonly steps: readonly { readonly run?: string }[] } };
  };
  const run = workflow.jobs.deploy.steps.map((step) => step.run ?? '').join('\n');
  const all = workloads.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`);
  const images = [...run.matchAll(/kubectl set image (\S+) (\S+)="\$IMAGE"/g)].map(([, workload, container]) => [workload, container]);
  expect(images).toEqual(workloads.map(({ spec }, at) => [all[at], spec.template.spec.containers[0].name]));
  expect([...run.matchAll(/kubectl rollout status (\S+)/g)].map(([, workload]) => workload)).toEqual(all);
});

describe('the task for ECS', () => {
  const task = JSON.parse(textOf('containers/ecs-task.json')) as {
    readonly containerDefinitions: readonly [
      {
        readonly command: readonly string[];
        readonly portMappings: readonly { readonly containerPort: number }[];
        readonly stopTimeout: number;
        readonly healthCheck: { readonly command: readonly string[] };
      },
    ];
  };
  const [{ command, portMappings, stopTimeout, healthCheck }] = task.containerDefinitions;

  it('opens the port of its command, and is given more time to end than a hand-over takes', () => {
    expect(command).toContain(`${portMappings[0]?.containerPort}`);
    expect(stopTimeout).toBeGreaterThan(14);
  });

  it('has a probe that, run as it is written, tells a process that answers from one that does not', async () => {
    const server = await serveStatus({ host: '127.0.0.1', port: 0 }, { job: 'word-count', build: 'one' }, undefined);
    const { port } = new URL(server.address);
    const [kind, program = '', ...args] = healthCheck.command;
    expect([kind, program]).toEqual(['CMD', 'node']);
    const probe = async () =>
      (
        await once(
          spawn(
            process.execPath,
            args.map((arg) => arg.replace('9464', port)),
          ),
          'exit',
        )
      )[0] as number;
    expect(await probe()).toBe(0);
    server.close();
    expect(await probe()).toBe(1);
  });
});
