import { edit, type Mutant } from '../mutant.ts';

const SOURCE_RUNTIME = 'lib/operators/source-runtime.ts';
const WATERMARKS = 'lib/time/watermarks.ts';
const SLICES = 'lib/operators/kinds/window/slices.ts';
const EACH_WINDOW = 'lib/operators/kinds/window/each-window.ts';
const SESSIONS = 'lib/operators/kinds/window/sessions.ts';
const FIRING = 'lib/operators/firing.ts';
const WINDOW_TIME = 'lib/operators/kinds/window/window-time.ts';
const INTERVAL_JOIN = 'lib/api/joins/interval-join.ts';

export const operators: readonly Mutant[] = [
  {
    name: 'no branch sees what another function did to its value',
    edits: [
      edit(
        'lib/operators/chain.ts',
        "return (value) => next(typeof value === 'object' ? copyOf(value) : value);",
        'return (value) => next(value);',
      ),
    ],
  },
  {
    name: 'a record that is left out goes to the dead letters',
    edits: [edit(SOURCE_RUNTIME, 'letters?.append(condemned, reader, condemned.reason);', '')],
  },
  {
    name: 'a record that is left out is not processed too',
    edits: [
      edit(
        SOURCE_RUNTIME,
        'letters?.append(condemned, reader, condemned.reason); continue;',
        'letters?.append(condemned, reader, condemned.reason);',
      ),
    ],
  },
  {
    name: 'a record that cannot be read goes to the dead letters',
    edits: [edit(SOURCE_RUNTIME, 'letters.append(place, reader, unreadable(error));', '')],
  },
  {
    name: 'a value that is late for all its windows is in none',
    focus: 'windows',
    edits: [
      edit(SLICES, 'if (finalEnd - 1 + allowedLatenessMs <= beforeMs) return late(value);', ''),
      edit(EACH_WINDOW, 'if (finalEnd - 1 + allowedLatenessMs <= beforeMs) return late(value);', ''),
      edit(EACH_WINDOW, 'if (end - 1 + allowedLatenessMs <= beforeMs) continue;', ''),
    ],
  },
  {
    name: 'the end of a window has the next one looked at that shares its slices',
    focus: 'windows',
    edits: [edit(SLICES, 'if (next !== undefined) time.wakeBehind(next - 1);', '')],
  },
  {
    name: 'a value that is late for a window has that one given again which still takes it',
    focus: 'windows',
    edits: [
      edit(SLICES, 'if (known !== undefined && end - 1 > beforeMs) return;', 'if (known !== undefined) return;'),
      edit(EACH_WINDOW, 'known === undefined || end - 1 <= beforeMs', 'known === undefined'),
    ],
  },
  {
    name: 'slices that no window needs any more are gone, and their values with them',
    focus: 'windows',
    edits: [edit(SLICES, 'contents.drop(oldest - sliceMs, oldest - 1);', '')],
  },
  {
    name: 'sessions that a value brings together become one',
    focus: 'windows',
    edits: [edit(SESSIONS, 'if (one !== undefined && other !== undefined) join(one, behind as number, other);', '')],
  },
  {
    name: 'a value exactly the gap away belongs to the session: it is over only then',
    focus: 'windows',
    edits: [
      edit(SESSIONS, 'const lastOf = ({ lastMs }: Pane) => lastMs + gapMs;', 'const lastOf = ({ lastMs }: Pane) => lastMs + gapMs - 1;'),
    ],
  },
  {
    name: 'a session that was over and has grown is looked at again',
    focus: 'windows',
    edits: [
      edit(
        SESSIONS,
        'known === undefined || lastOf(pane) <= beforeMs || (other !== undefined && lastOf(other) <= beforeMs)',
        'known === undefined',
      ),
    ],
  },
  {
    name: 'of processing time a window is over when its last millisecond is behind',
    focus: 'windows',
    edits: [
      edit(WINDOW_TIME, 'this.#isEvent ? lastMs : lastMs + 1;', 'lastMs;'),
      edit(WINDOW_TIME, 'return timeMs - 1;', 'return timeMs;'),
    ],
  },
  {
    name: 'the watermark of a partition never goes back',
    focus: 'time',
    edits: [edit(WATERMARKS, 'laterOf(was.watermarkMs, watermarkMs)', 'watermarkMs ?? was.watermarkMs')],
  },
  {
    name: 'the watermark of a stage never goes back',
    focus: 'time',
    edits: [edit(WATERMARKS, 'return laterOf(before, combined(parts));', 'return combined(parts) ?? before;')],
  },
  {
    name: 'a partition without a watermark holds the others back',
    focus: 'time',
    edits: [edit(WATERMARKS, 'if (watermarkMs === undefined) return undefined;', 'if (watermarkMs === undefined) continue;')],
  },
  {
    name: 'a partition that is idle does not',
    focus: 'time',
    edits: [edit(WATERMARKS, 'parts.filter(({ isIdle }) => !isIdle)', 'parts')],
  },
  {
    name: 'a partition is active while there is more of it to read',
    edits: [edit(WATERMARKS, 'return epoch.hasMore(stage, partition) ? { ...was, activeMs: processingMs } : was;', 'return was;')],
    focus: 'time',
  },
  {
    name: 'a partition is active with the epoch that brings its records',
    focus: 'time',
    edits: [
      edit(
        WATERMARKS,
        'watermarkMs: laterOf(was.watermarkMs, watermarkMs), activeMs: processingMs',
        'watermarkMs: laterOf(was.watermarkMs, watermarkMs), activeMs: was.activeMs',
      ),
    ],
  },
  {
    name: 'late is what is not newer than the watermark of the epoch before',
    focus: 'time',
    edits: [edit('lib/operators/epoch-clock.ts', 'this.watermarkMs = time?.beforeMs ?? ', 'this.watermarkMs = time?.afterMs ?? ')],
  },
  {
    name: 'what is made of a timer has its time',
    focus: 'time',
    edits: [edit('lib/operators/firing.ts', 'current.timestamp = timeMs;', '')],
  },
  {
    name: 'what is made of a timer is of its key',
    focus: 'time',
    edits: [edit('lib/operators/firing.ts', 'current.keyHash = murmur2(bytes, 0, bytes.length);', '')],
  },
  {
    name: 'in order of time rows come before the timers of their time',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/firing.ts',
        'timers?.takeDue(rowMs - 1, Number.NEGATIVE_INFINITY)',
        'timers?.takeDue(rowMs, Number.NEGATIVE_INFINITY)',
      ),
    ],
  },
  {
    name: 'in order of time a row waits until the watermark has passed it',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/kinds/time-order.ts',
        'else waiting.put(current.timestamp, rank + current.origin, waitingOf(value));',
        'else late(value);',
      ),
    ],
  },
  {
    name: 'in order of time what is late is given aside',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/kinds/time-order.ts',
        'if (current.timestamp <= clock.watermarkMs) late(value);',
        'if (current.timestamp <= Number.NEGATIVE_INFINITY) late(value);',
      ),
    ],
  },
  {
    name: 'what is late is counted',
    focus: 'time',
    edits: [edit('lib/operators/late-values.ts', 'counter.values++;', '')],
  },
  {
    name: 'in order of time the watermark is that of the row',
    focus: 'time',
    edits: [edit('lib/operators/firing.ts', 'clock.watermarkMs = row.timeMs - 1;', '')],
  },
  {
    name: 'a row has the origin of its own record',
    focus: 'time',
    edits: [
      edit(
        'lib/operators/source-runtime.ts',
        'current.origin = originOfRecord(source.uid, partition, reader.offset);',
        'current.origin = originOfRecord(source.uid, partition, 0);',
      ),
    ],
  },
  {
    name: 'what is broadcast comes in order of its origins',
    focus: 'connected',
    edits: [
      edit(
        'lib/operators/told-rows.ts',
        'this.#rows.sort((one, other) => (one.origin < other.origin ? -1 : one.origin > other.origin ? 1 : 0));',
        '',
      ),
    ],
  },
  {
    name: 'what is broadcast comes before all else of its epoch',
    focus: 'connected',
    edits: [edit('lib/operators/operator-runtime.ts', 'told.tell(working); takeRows(from, name);', 'takeRows(from, name);')],
  },
  {
    name: 'a row that has waited goes to the function of its own input',
    focus: 'connected',
    edits: [
      edit('lib/operators/kinds/time-order.ts', 'give(onRecord[input] as OnRecord, value)', 'give(onRecord[input * 0] as OnRecord, value)'),
    ],
  },
  {
    name: 'rows of several inputs wait in one order of time',
    focus: 'connected',
    edits: [edit('lib/operators/of-input.ts', 'out.u8(input);', 'out.u8(0);')],
  },
  {
    name: 'of one time rows come in the order of the inputs',
    focus: 'connected',
    edits: [edit('lib/operators/kinds/time-order.ts', 'String.fromCharCode(input);', 'String.fromCharCode(31 - input);')],
  },
  {
    name: 'rows that are made of a record are counted by edge',
    focus: 'connected',
    edits: [edit('lib/operators/origins.ts', 'if (turn !== current.turn) made = first;', '')],
  },
  {
    name: 'no branch sees what was done to its value behind a union',
    focus: 'connected',
    edits: [edit('lib/operators/kinds/union.ts', "givesToUser: () => 'behind',", 'givesToUser: () => false,')],
  },
  {
    name: 'the bounds of an interval join are included',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'within(right, timestamp + lowerBoundMs,', 'within(right, timestamp + lowerBoundMs + 1,')],
  },
  {
    name: 'a left row is kept until its interval is over',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'const leftWaitsMs = Math.max(0, upperBoundMs);', 'const leftWaitsMs = Math.max(0, upperBoundMs - 100);')],
  },
  {
    name: 'a right row is kept until its interval is over',
    focus: 'connected',
    edits: [
      edit(INTERVAL_JOIN, 'const rightWaitsMs = Math.max(0, -lowerBoundMs);', 'const rightWaitsMs = Math.max(0, -lowerBoundMs - 100);'),
    ],
  },
  {
    name: 'what is kept for an interval goes when that is over',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'timeMs - rightWaitsMs)) right.delete(place);', 'timeMs - rightWaitsMs)) void place;')],
  },
  {
    name: 'a left row that has met another is not alone',
    focus: 'connected',
    edits: [edit(INTERVAL_JOIN, 'if (!one.met) left.set(place, { value: one.value, met: true });', '')],
  },
  {
    name: 'from a deletion on a key has no version',
    focus: 'connected',
    edits: [
      edit(
        'lib/api/joins/version-joins.ts',
        'if (decided(isDeleted(value))) version.clear(); else version.set(value);',
        'version.set(value);',
      ),
    ],
  },
  {
    name: 'input that waits for the rest is let in when the rest is idle',
    focus: 'held',
    edits: [
      edit('lib/time/due.ts', 'if (isHeld && afterMs !== ofName(position.time?.stages, stage.id)) return true;', ''),
      edit(
        'lib/time/due.ts',
        'if (!isHeld && !isAnythingWaiting(position, plan)) return false;',
        'if (!isAnythingWaiting(position, plan)) return false;',
      ),
    ],
  },
  {
    name: 'a window join knows of each value which stream it is of',
    focus: 'tables',
    edits: [edit('lib/operators/kinds/window/window.ts', 'takeRow(index, { input, value }', 'takeRow(index, { input: input * 0, value }')],
  },
  {
    name: 'what is late for a window join goes aside as it came',
    focus: 'tables',
    edits: [edit('lib/operators/kinds/window/window.ts', 'aside((value as OfInput).value)', 'aside(value)')],
  },
  {
    name: 'an outer window join gives what is alone, and nothing else, without a partner',
    focus: 'tables',
    edits: [edit('lib/api/joins/window-join.ts', 'if (aloneOnTheLeft && rights.length === 0)', 'if (aloneOnTheLeft)')],
  },
  {
    name: 'of equals the one ranks first whose bytes are less, whichever came first',
    focus: 'tables',
    edits: [edit('lib/api/shapes/ranking.ts', 'return oneBytes < otherBytes ? -1 : oneBytes > otherBytes ? 1 : 0;', 'return 0;')],
  },
  {
    name: 'a ranking with ties keeps all that equal its last',
    focus: 'tables',
    edits: [edit('lib/api/shapes/ranking.ts', 'return this.#withTies && this.#compare', 'return this.#n < 0 && this.#compare')],
  },
  {
    name: 'a result that comes again takes the place of the one before of its key',
    focus: 'tables',
    edits: [
      edit(
        'lib/api/shapes/top-of-windows.ts',
        'resultsIn(state).set(key, value);',
        'if (!resultsIn(state).has(key)) resultsIn(state).set(key, value);',
      ),
    ],
  },
  {
    name: 'results of windows are kept as long as one may come again',
    focus: 'tables',
    edits: [
      edit(
        'lib/api/shapes/top-of-windows.ts',
        'if (timeMs === overAt(lastMs) + allowedLatenessMs) all.clear();',
        'if (timeMs === overAt(lastMs)) all.clear();',
      ),
    ],
  },
  {
    name: 'a ranking over all keys tells their results apart by key',
    focus: 'tables',
    edits: [edit('lib/operators/kinds/stamp.ts', 'key: current.key', 'key: String(current.key).slice(0, 0)')],
  },
  {
    name: 'a table says when what there was is no more',
    focus: 'tables',
    edits: [edit('lib/api/joins/join-tables.ts', 'else if (had) out.emit({ key, value: undefined });', '')],
  },
  {
    name: 'a table that deletes what it has not changes nothing',
    focus: 'tables',
    edits: [edit('lib/api/joins/join-tables.ts', 'if (deletes && own.get() === undefined) return;', '')],
  },
  {
    name: 'what is counted again lives on',
    focus: 'tables',
    edits: [
      edit(
        'lib/api/shapes/distinct-count.ts',
        'held.set(selected(selector, value), 1);',
        'if (!held.has(selected(selector, value))) held.set(selected(selector, value), 1);',
      ),
    ],
  },
  {
    name: 'what two sessions have seen is counted in the one that they become',
    focus: 'tables',
    edits: [
      edit('lib/api/shapes/distinct-count.ts', 'for (const one of other as Set<string>) (seen as Set<string>).add(one);', 'void other;'),
    ],
  },
  {
    name: 'what is given aside goes under its own name',
    focus: 'connected',
    edits: [edit('lib/operators/chain.ts', "node.kind === 'sideOutput' && node.tag === tag", "node.kind === 'sideOutput'")],
  },
  {
    name: 'what is given aside is a copy of its own',
    focus: 'connected',
    edits: [
      edit('lib/operators/opened-stage.ts', "compileSide(parts, node.id, tag, 'kept')", "compileSide(parts, node.id, tag, 'passed')"),
    ],
  },
  {
    name: 'answers go on in the order of their values',
    focus: 'connected',
    edits: [edit('lib/operators/async-calls.ts', 'this.next(answers[index]);', 'this.next(answers[held.length - 1 - index]);')],
  },
  {
    name: 'an answer has the time and the key of its value',
    focus: 'connected',
    edits: [edit('lib/operators/async-calls.ts', 'Object.assign(this.#current, of, {', 'Object.assign(this.#current, {')],
  },
  {
    name: 'what was asked for is told from what was not',
    focus: 'connected',
    edits: [
      edit(
        'lib/operators/async-calls.ts',
        "of.origin === '' ? '' : originOfAnswer(of.origin, this.#node.id, nth)",
        'of.origin.slice(nth * 0)',
      ),
    ],
  },
  {
    name: 'partitions that no epoch knows yet are a reason for one, where something waits for them',
    focus: 'moves',
    edits: [edit('lib/time/due.ts', 'if (waitsForUnknown(position, plan, isHeld)) return true;', '')],
  },
  {
    name: 'timers of keys on disk fire with those of keys in memory',
    focus: 'time',
    edits: [edit(FIRING, 'state.bringDue(afterMs, clock.processingMs);', '')],
  },
];
