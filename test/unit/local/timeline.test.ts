import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { CoordinatorEvent } from '../../../lib/epoch/progress/events.ts';
import { overlapOf, RunHistory } from '../../../local/demo/run-history.ts';
import { drawTimeline } from '../../../local/demo/timeline.ts';
import { figures } from '../epoch/figures.ts';

const STAGES = ['read', 'count', 'write'];
type Told = readonly [atMs: number, event: CoordinatorEvent];

const started = (atMs: number, epoch: number, stage: string): Told => [atMs, { event: 'stage-started', epoch, stage }];
const ended = (atMs: number, epoch: number, stage: string): Told => [atMs, { event: 'stage-done', epoch, stage, ms: 1 }];
const failed = (atMs: number, epoch: number, stage: string): Told => [
  atMs,
  { event: 'attempt-failed', epoch, stage, kind: 'user-code', message: 'a < b', failuresInARow: 1, retryInMs: 1 },
];
const decided = (atMs: number, epoch: number): Told => [atMs, { event: 'decided', epoch, recordsIn: 1, recordsOut: 1, ms: 1 }];
const committed = (atMs: number, epoch: number, republished = 0): Told => [
  atMs,
  { event: 'committed', epoch, republished, ms: 1, figures: figures() },
];
const successor = (atMs: number): Told => [
  atMs,
  { event: 'lease-taken', generation: 2, incarnation: 'i', lastCompleted: 1, lastCommitted: 0, stops: 0 },
];

function historyOf(...told: readonly Told[]): RunHistory {
  const history = new RunHistory(STAGES);
  for (const [atMs, event] of told) history.take(event, atMs);
  return history;
}

const shown = ({ bars }: RunHistory) =>
  bars.map(({ lane, epoch, fromMs, toMs, dropped }) => `${lane} ${epoch} ${fromMs}-${toMs ?? ''}${dropped ? ' dropped' : ''}`);

/** Epoch 1 is prepared, decided and committed while epoch 2 is read and counted. */
const OVERLAPPING: readonly Told[] = [
  started(0, 1, 'read'),
  ended(10, 1, 'read'),
  started(10, 1, 'count'),
  started(10, 2, 'read'),
  ended(20, 2, 'read'),
  ended(30, 1, 'count'),
  started(30, 1, 'write'),
  started(30, 2, 'count'),
  ended(40, 1, 'write'),
  decided(45, 1),
];

describe("a run's history", () => {
  it('has a bar for each stage of each epoch, for its decision and for its commit', () => {
    const history = historyOf(...OVERLAPPING, ended(50, 2, 'count'), committed(60, 1));
    expect(history.lanes).toEqual(['read', 'count', 'write', 'decide', 'commit']);
    expect(shown(history)).toEqual([
      'read 1 0-10',
      'count 1 10-30',
      'read 2 10-20',
      'write 1 30-40',
      'count 2 30-50',
      'decide 1 40-45',
      'commit 1 45-60',
    ]);
  });

  it('shows work on a failed epoch and on later ones as dropped, and on what was decided not', () => {
    const history = historyOf(...OVERLAPPING, started(46, 3, 'read'), failed(50, 2, 'count'));
    expect(shown(history).slice(-4)).toEqual(['count 2 30-50 dropped', 'decide 1 40-45', 'commit 1 45-', 'read 3 46-50 dropped']);
    expect(history.marks).toEqual([{ kind: 'failed', atMs: 50, what: 'epoch 2 fails in count' }]);
  });

  it('ends what a coordinator was at when its successor takes the lease', () => {
    const history = historyOf(...OVERLAPPING, successor(70));
    expect(history.underWay).toEqual([]);
    expect(shown(history)).toContain('count 2 30-70 dropped');
    expect(shown(history)).toContain('commit 1 45-70');
  });

  it('shows a decision as made when a successor finds it, though nobody was told', () => {
    const told = OVERLAPPING.filter(([, { event }]) => event !== 'decided');
    expect(shown(historyOf(...told, successor(70)))).toContain('decide 1 40-70');
  });

  it('marks what was published again', () => {
    expect(historyOf(...OVERLAPPING, committed(60, 1, 1)).marks).toEqual([
      { kind: 'republished', atMs: 60, what: 'epoch 1 is published again' },
    ]);
  });

  it('tells how many epochs were worked on at once, and for how much of the working time', () => {
    const history = historyOf(...OVERLAPPING, ended(50, 2, 'count'), committed(60, 1));
    // Of 60 ms both epochs were worked on from 10 to 20 and from 30 to 50.
    expect(overlapOf(history.bars)).toEqual({ most: 2, share: 30 / 60 });
    expect(overlapOf([])).toEqual({ most: 0, share: 0 });
  });
});

describe('the drawing of a run', () => {
  const draw = (history: RunHistory, toMs: number) => drawTimeline(history, { title: 'a & b', fromMs: 0, toMs, rowMs: 100 });

  it('has each bar where and as long as it was, in the lane of its stage', () => {
    const svg = draw(historyOf(...OVERLAPPING), 100);
    expect(svg).toContain('x="200" y="40" width="200" height="18" rx="2"><title>epoch 1, count: 20 ms</title>');
    expect(svg).toContain('<title>a &amp; b</title>');
  });

  it('says what was dropped, and escapes what it says', () => {
    const svg = draw(historyOf(started(0, 1, 'read'), ended(5, 1, 'read'), started(5, 1, 'count'), failed(9, 1, 'count & "more"')), 100);
    expect(svg).toContain('<title>epoch 1, count: 4 ms, dropped</title>');
    expect(svg).toContain('<title>epoch 1 fails in count &amp; &quot;more&quot;</title>');
  });

  it('leaves out rows in which nothing happened', () => {
    const svg = draw(
      historyOf(...OVERLAPPING, ended(50, 2, 'count'), committed(60, 1), started(510, 2, 'read'), ended(520, 2, 'read')),
      600,
    );
    expect(svg.match(/>read<\/text>/g)).toHaveLength(2);
    expect(svg).toContain('>0.5 s</text>');
    expect(svg).not.toContain('>0.3 s</text>');
  });
});

it.each(globSync('docs/*.svg'))('%s is readable where CSS knows no variables, and has a name', (file) => {
  const drawing = readFileSync(file, 'utf8');
  expect(drawing).not.toContain('var(');
  expect(drawing).toMatch(/^<svg [^>]*role="img">\n<title>[^<]+<\/title>/);
  // What decides colours stands outside of the part for dark pages too.
  const light = /<style>(?<plain>[\s\S]*?)@media/.exec(drawing)?.groups?.['plain'] ?? '';
  expect(light).toMatch(/fill: #[0-9a-f]{6}/);
});

it('docs/timeline.svg has the colours that a run is drawn in now', () => {
  const styleOf = (drawing: string) => /<style>[\s\S]*<\/style>/.exec(drawing)?.[0];
  const fresh = drawTimeline(historyOf(...OVERLAPPING), { title: 'a run', fromMs: 0, toMs: 60, rowMs: 60 });
  expect(styleOf(readFileSync('docs/timeline.svg', 'utf8'))).toBe(styleOf(fresh));
});
