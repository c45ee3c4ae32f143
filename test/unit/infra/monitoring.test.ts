import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { StreamJob, type StreamJobProps } from '../../../infra/stream-job.ts';
import { METRIC_DIMENSIONS, METRICS_NAMESPACE, metrics } from '../../../lib/config/metrics.ts';

// The CDK loads a library at the first use of each of its parts.
vi.setConfig({ testTimeout: 60_000 });

const folder = mkdtempSync(join(tmpdir(), 'onceflow-monitoring-'));
afterAll(() => rmSync(folder, { recursive: true }));

function stackOf(change: (stack: Stack) => Partial<StreamJobProps> = () => ({})): Template {
  const app = new App({ context: { 'aws:cdk:bundling-stacks': [] }, outdir: mkdtempSync(join(folder, 'app-')) });
  const stack = new Stack(app, 'Test');
  new StreamJob(stack, 'Job', { job: './jobs/word-count.ts', kafka: { brokers: 'broker.example.com:9092' }, ...change(stack) });
  return Template.fromStack(stack);
}

interface MetricStat {
  readonly Namespace: string;
  readonly MetricName: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}
interface AlarmProperties extends Partial<MetricStat> {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly TreatMissingData: string;
  readonly Metrics?: readonly { readonly Expression?: string; readonly MetricStat?: { readonly Metric: MetricStat } }[];
  readonly AlarmActions?: readonly unknown[];
  readonly OKActions?: readonly unknown[];
}

function alarmsIn(template: Template): AlarmProperties[] {
  return Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties as AlarmProperties);
}

const template = stackOf();
const alarms = alarmsIn(template);
const runbook = readFileSync('docs/runbook.md', 'utf8');
const headingsOf = (level: string) => [...runbook.matchAll(new RegExp(`^${level} (.+)$`, 'gm'))].map(([, heading = '']) => heading);
const headingOf = ({ AlarmName }: AlarmProperties) => AlarmName.replace('word-count: ', '');

/** Every metric that something names, those inside of expressions included. */
function metricsOf({ Namespace, MetricName, Dimensions, Metrics = [] }: AlarmProperties): MetricStat[] {
  const inside = Metrics.flatMap(({ MetricStat }) => (MetricStat === undefined ? [] : [MetricStat.Metric]));
  return Namespace === undefined || MetricName === undefined
    ? inside
    : [{ Namespace, MetricName, Dimensions: Dimensions ?? [] }, ...inside];
}

describe('alarms', () => {
  it('watch stalled epochs, growing lag, failure, republishing, dead letters, throttling, and that the job is looked after', () => {
    expect(alarms.map(headingOf).sort()).toEqual([
      'Crashing coordinator',
      'Dead letters',
      'Failed job',
      'Growing lag',
      'Missing ticks',
      'Republished transactions',
      'Stalled epochs',
      'Throttled functions',
      'Throttled table',
    ]);
  });

  it('have a heading of the same name in the runbook, to which they link, and the runbook has no other', () => {
    expect(headingsOf('##').sort()).toEqual(alarms.map(headingOf).sort());
    for (const alarm of alarms) {
      const anchor = headingOf(alarm).toLowerCase().replaceAll(' ', '-');
      expect(alarm.AlarmDescription).toContain(`docs/runbook.md#${anchor}`);
    }
  });

  it('use metrics that the code emits, by the dimensions that it emits, or those of Lambda and DynamoDB', () => {
    const used = alarms.flatMap(metricsOf);
    expect(used.length).toBeGreaterThanOrEqual(alarms.length);
    for (const { Namespace, MetricName, Dimensions = [] } of used) {
      if (Namespace !== METRICS_NAMESPACE) {
        expect(['AWS/Lambda', 'AWS/DynamoDB']).toContain(Namespace);
        continue;
      }
      expect(Object.keys(metrics)).toContain(MetricName);
      expect(Dimensions.map(({ Name }) => Name).sort()).toEqual([...METRIC_DIMENSIONS].sort());
      expect(Dimensions).toContainEqual({ Name: 'Job', Value: 'word-count' });
      expect(Dimensions).toContainEqual({ Name: 'FunctionName', Value: { Ref: expect.stringContaining('Coordinator') } });
    }
  });

  it('are quiet while nothing is told, but for ticks that do not come', () => {
    const loud = alarms.filter(({ TreatMissingData }) => TreatMissingData !== 'notBreaching');
    expect(loud.map(headingOf)).toEqual(['Missing ticks']);
  });

  it('call output old only when it is older than ten checkpoint intervals', () => {
    const expressionAt = (intervalMs: string) =>
      JSON.stringify(alarmsIn(stackOf(() => ({ parameters: { ONCEFLOW_CHECKPOINT_INTERVAL_MS: intervalMs } }))));
    expect(expressionAt('1000')).toContain('(age >= 60000) AND (growth > 0)');
    expect(expressionAt('20000')).toContain('(age >= 200000) AND (growth > 0)');
  });

  it('tell nobody unless somebody is named: by alarmActions, and by ONCEFLOW_ALARM_TOPIC', () => {
    expect(alarms.flatMap(({ AlarmActions = [], OKActions = [] }) => [...AlarmActions, ...OKActions])).toEqual([]);
    const arn = 'arn:aws:sns:eu-west-1:123456789012:on-call';
    const told = alarmsIn(
      stackOf((stack) => ({ alarmActions: [new SnsAction(new Topic(stack, 'Own'))], parameters: { ONCEFLOW_ALARM_TOPIC: arn } })),
    );
    for (const { AlarmActions, OKActions } of told) {
      expect(AlarmActions).toEqual([{ Ref: expect.stringContaining('Own') }, arn]);
      expect(OKActions).toEqual(AlarmActions);
    }
  });

  it('refuse an ONCEFLOW_ALARM_TOPIC that is no topic', () => {
    expect(() => stackOf(() => ({ parameters: { ONCEFLOW_ALARM_TOPIC: 'on-call' } }))).toThrow(
      /ONCEFLOW_ALARM_TOPIC is "on-call": it must be the ARN of an SNS topic/,
    );
  });
});

describe('the dashboard', () => {
  it('shows every metric that the code emits, and all alarms', () => {
    const [dashboard] = Object.values(template.findResources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard?.['Properties']);
    for (const name of Object.keys(metrics).filter((each) => each !== 'LagGrowth')) expect(body).toContain(`\\"${name}\\"`);
    for (const id of Object.keys(template.findResources('AWS::CloudWatch::Alarm'))) expect(body).toContain(id);
  });
});

describe('monitoring', () => {
  it('is left out by ONCEFLOW_MONITORING=off, by the construct or in the environment, and then the functions emit nothing either', () => {
    for (const change of [{ monitoring: false }, { parameters: { ONCEFLOW_MONITORING: 'off' } }]) {
      const without = stackOf(() => change);
      without.resourceCountIs('AWS::CloudWatch::Alarm', 0);
      without.resourceCountIs('AWS::CloudWatch::Dashboard', 0);
      without.hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: 'word-count-coordinator',
        Environment: { Variables: { ONCEFLOW_MONITORING: 'off' } },
      });
    }
  });
});

describe('the runbook', () => {
  it('says for each alarm what it is, how to look, and what to do, in this order', () => {
    const sections = runbook.split(/^## .+$/m).slice(1);
    expect(sections).toHaveLength(alarms.length);
    for (const section of sections)
      expect([...section.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading)).toEqual(['Description', 'Investigation', 'Resolution']);
  });

  it('names no command of ours that does not exist', () => {
    const commands = [...runbook.matchAll(/npx onceflow (\w+)/g)].map(([, command]) => command);
    expect(new Set(commands)).toEqual(
      new Set(['status', 'console', 'epochs', 'transactions', 'dead', 'rescale', 'start', 'stop', 'resume']),
    );
  });
});
