import { globSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments, parse as parseYaml } from 'yaml';
import { readArguments } from '../../../cli/arguments.ts';
import { COMMANDS } from '../../../cli/commands.ts';
import { readToolConfig } from '../../../lib/config/read-config.ts';
import { prometheusName, type SeriesName, series } from '../../../lib/config/series.ts';

const templates = new URL('../../../templates/', import.meta.url);
const textOf = (file: string) => readFileSync(new URL(file, templates), 'utf8');

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly mountPath: string }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string; readonly scheme?: string } };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly clusterIP?: string;
    readonly replicas?: number;
    readonly serviceName?: string;
    readonly selector?: Readonly<Record<string, unknown>>;
    readonly template?: { readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly [Container] } };
  };
}

/** What a command gets of these arguments. */
function called(args: readonly string[]) {
  const { command, values } = readArguments(COMMANDS, args);
  return { name: command?.name, values: values() as Readonly<Record<string, unknown>> };
}

describe('the manifests for Kubernetes', () => {
  const manifests = parseAllDocuments(textOf('containers/kubernetes.yaml')).map((document) => document.toJS() as Manifest);
  const named = (kind: string, name: string) => manifests.find((each) => each.kind === kind && each.metadata.name === name);
  const common = named('ConfigMap', 'word-count')?.data ?? {};
  const podOf = (kind: string, name: string) => {
    const pod = named(kind, name)?.spec?.template?.spec;
    if (pod === undefined) throw new Error(`there is no ${kind} ${name}`);
    return {
      pod,
      container: pod.containers[0],
      env: { ...common, ...Object.fromEntries(pod.containers[0].env.map(({ name, value }) => [name, value])) },
    };
  };

  it('run two coordinators, with variables that there are, at the workers that there are', () => {
    const { container, env } = podOf('Deployment', 'word-count');
    expect(named('Deployment', 'word-count')?.spec?.replicas).toBe(2);
    expect(called(container.args)).toMatchObject({ name: 'run', values: { port: container.ports[0]?.containerPort, host: '0.0.0.0' } });
    const { workers } = readToolConfig(engineOf(env));
    const set = named('StatefulSet', 'word-count-worker')?.spec;
    expect(named('Service', set?.serviceName ?? '')?.spec?.clusterIP).toBe('None');
    expect(workers?.map(({ origin }) => origin)).toEqual(
      Array.from({ length: set?.replicas ?? 0 }, (_, number) => `https://word-count-worker-${number}.${set?.serviceName}:8443`),
    );
  });

  it('run workers with a token and TLS, probed where they answer, and given the time that draining takes', () => {
    const { pod, container, env } = podOf('StatefulSet', 'word-count-worker');
    const { name, values } = called(container.args);
    expect([name, values['port'], values['host']]).toEqual(['worker', container.ports[0]?.containerPort, '0.0.0.0']);
    expect(Number(values['drain'])).toBeLessThan(pod.terminationGracePeriodSeconds);
    expect(container.readinessProbe.httpGet).toEqual({ path: '/health', port: container.ports[0]?.name, scheme: 'HTTPS' });
    const config = readToolConfig(engineOf(env));
    for (const file of [config.workerTokenFile, config.workerCertFile, config.workerKeyFile])
      expect(container.volumeMounts.some(({ mountPath }) => file?.startsWith(`${mountPath}/`))).toBe(true);
  });
});

it('the task for ECS has variables that there are, a command that there is, and a probe at its port', () => {
  const task = JSON.parse(textOf('containers/ecs-task.json')) as {
    readonly containerDefinitions: readonly {
      readonly command: readonly string[];
      readonly environment: readonly { readonly name: string; readonly value: string }[];
      readonly healthCheck: { readonly command: readonly string[] };
    }[];
  };
  const [container] = task.containerDefinitions;
  const { name, values } = called(container?.command ?? []);
  expect(name).toBe('run');
  readToolConfig(Object.fromEntries(container?.environment.map((each) => [each.name, each.value]) ?? []));
  expect(container?.healthCheck.command.at(-1)).toContain(`http://127.0.0.1:${values['port']}/health`);
});

it('the image starts a command that there is', () => {
  const text = textOf('containers/Dockerfile');
  const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(text) ?? [];
  expect(JSON.parse(entry)).toEqual(['node', 'node_modules/onceflow/cli/onceflow.mjs']);
  const [, command = '[]'] = /^CMD (.*)$/m.exec(text) ?? [];
  expect(called(JSON.parse(command) as string[])).toMatchObject({ name: 'run', values: { port: 9464 } });
});

it.each(['github/deploy-lambda.yml', 'github/deploy-containers.yml'])('%s calls scripts that a new project has', (file) => {
  const workflow = parseYaml(textOf(file)) as {
    readonly jobs: Readonly<Record<string, { readonly steps: readonly { readonly run?: string }[] }>>;
  };
  const { scripts } = JSON.parse(textOf('stream/package.json')) as { readonly scripts: Readonly<Record<string, string>> };
  const runs = Object.values(workflow.jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  const called = runs.flatMap((run) => [...run.matchAll(/npm (?:run )?(test|check|synth)\b/g)].map(([, name = '']) => name));
  expect(called).toContain('test');
  expect(called.filter((name) => scripts[name] === undefined)).toEqual([]);
});

it('the documents say of each file that is to be copied where it is', () => {
  const documents = globSync('docs/*.md').map((file) => readFileSync(file, 'utf8'));
  const files = ['containers', 'github', 'grafana'].flatMap((of) =>
    readdirSync(new URL(of, templates)).map((name) => `templates/${of}/${name}`),
  );
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !documents.some((text) => text.includes(file)))).toEqual([]);
});

it('the dashboard for Grafana shows metrics that there are, each by the job that was chosen', () => {
  const dashboard = JSON.parse(textOf('grafana/onceflow.json')) as {
    readonly panels: readonly { readonly id: number; readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
  };
  const known = new Set((Object.keys(series) as SeriesName[]).map(prometheusName));
  const shown = new Set<string>();
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  for (const { title, targets } of dashboard.panels)
    for (const { expr } of targets) {
      const names = [...expr.matchAll(/\b(onceflow_\w+|process_\w+)\{job_name="\$job"\}/g)].map(([, name = '']) => name);
      expect(names.length, `${title}: ${expr}`).toBeGreaterThan(0);
      expect([...expr.matchAll(/\bonceflow_\w+/g)], `${title}: ${expr}`).toHaveLength(
        names.filter((name) => name.startsWith('onceflow_')).length,
      );
      for (const name of names) shown.add(name.replace(/_(bucket|sum|count)$/, ''));
    }
  const ours = [...shown].filter((name) => name.startsWith('onceflow_'));
  expect(ours.filter((name) => !known.has(name))).toEqual([]);
  expect([...known].filter((name) => !shown.has(name))).toEqual([]);
});

function engineOf(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('ONCEFLOW_')));
}
