import type { RunResult } from './results.ts';
import { type Figure, type Group, groupsOf, isMet, largeStates, OURS, PEER, type Target, targetOf } from './summary.ts';

/** The results as Markdown: a table for each mode and setting, medians with the least and the most of the runs. */
export function tableOf(results: readonly RunResult[]): string {
  const groups = groupsOf(results);
  const parts = groups.map(tableOfGroup);
  for (const { keys, epochRatio, bytesPerKey } of largeStates(groups)) {
    const epochs = epochRatio === undefined ? '' : `an epoch takes ${epochRatio.toFixed(2)} × as long (target: at most 3 ×); `;
    parts.push(`${keys[1]} keys against ${keys[0]}: ${epochs}${bytesPerKey.toFixed(0)} bytes of memory a key.`);
  }
  const growth = growthTable(groups);
  if (growth !== undefined) parts.push(growth);
  const machine = results.at(-1)?.machine;
  if (machine !== undefined)
    parts.push(
      `${machine.cores} cores of ${machine.processor}, ${machine.memoryGb} GB, ${machine.system}; Node ${machine.node}, ${machine.java}; commit ${machine.commit}.`,
    );
  return parts.join('\n\n');
}

/** How the cost of our own drains grows with the work: a row for each setting. Undefined: there is but one. */
function growthTable(groups: readonly Group[]): string | undefined {
  const drains = groups.filter(({ mode, peers }) => mode === 'drain' && peers.has(OURS));
  if (drains.length < 2) return undefined;
  const settings = [...new Set(drains.flatMap(({ setting }) => Object.keys(setting)))];
  const metrics = ['recordsPerSecond', 'recordsPerSecondFromStart', 'cpuMicrosecondsPerRecord', 'peakMb'];
  const rows = drains.map(({ setting, peers }) => [
    ...settings.map((name) => String(setting[name] ?? '')),
    ...metrics.map((metric) => figureText(peers.get(OURS)?.metrics.get(metric))),
  ]);
  return [`**${OURS}, every drain**`, '', markdown([[...settings, ...metrics], ...rows])].join('\n');
}

function tableOfGroup(group: Group): string {
  const peers = [...group.peers];
  const others = peers.map(([name]) => name).filter((name) => name !== OURS);
  // A figure that a run lacks stands where the others have it.
  const metrics = new Set(
    peers
      .map(([, { metrics: its }]) => [...its.keys()])
      .sort((a, b) => b.length - a.length)
      .flat(),
  );
  const setting = Object.entries(group.setting).map(([name, value]) => `${name} ${value}`);
  const runs = peers.map(([name, { runs: count, load }]) => `${name} ${count} (load ${load[0]} to ${load[1]})`);
  const head = ['', ...peers.map(([name]) => name), ...others.map((name) => `${OURS} / ${name}`), 'target'];
  const rows = [...metrics].map((metric) => {
    const ours = group.peers.get(OURS)?.metrics.get(metric);
    const ratios = others.map((name) => ratioText(ours, group.peers.get(name)?.metrics.get(metric)));
    const target = targetOf(group, metric);
    return [metric, ...peers.map(([, { metrics: its }]) => figureText(its.get(metric))), ...ratios, targetText(target, group, metric)];
  });
  const problems = peers.flatMap(([name, { failed, inexact }]) => [
    ...failed.map((error) => `${name} FAILED: ${error}`),
    ...(inexact > 0 ? [`${name}: ${inexact} of its runs NOT EXACT`] : []),
  ]);
  return [`**${group.mode}**: ${setting.join(', ')}. Runs: ${runs.join(', ')}.`, '', markdown([head, ...rows]), ...problems].join('\n');
}

function markdown(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
  return lines.join('\n');
}

function figureText(figure: Figure | undefined): string {
  if (figure === undefined) return '';
  const { median, least, most } = figure;
  return least === most ? short(median) : `${short(median)} (${short(least)} to ${short(most)})`;
}

export function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (Math.abs(value) >= 1e4) return `${(value / 1e3).toFixed(0)} k`;
  return Number.isInteger(value) || Math.abs(value) >= 1000 ? value.toFixed(0) : value.toPrecision(3);
}

function ratioText(ours: Figure | undefined, theirs: Figure | undefined): string {
  if (ours === undefined || theirs === undefined || theirs.median === 0) return '';
  return (ours.median / theirs.median).toFixed(2);
}

function targetText(target: Target | undefined, group: Group, metric: string): string {
  if (target === undefined) return '';
  const ours = group.peers.get(OURS)?.metrics.get(metric)?.median;
  const met = ours === undefined ? undefined : isMet(target, ours, group.peers.get(PEER)?.metrics.get(metric)?.median);
  const text = 'limit' in target ? `${target.limit} ${target.of}` : `${target.ratio} ${target.of} ×`;
  return met === undefined ? text : `${text}: ${met ? 'met' : 'missed'}`;
}
