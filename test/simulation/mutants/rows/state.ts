import { edit, type Mutant } from '../mutant.ts';

const COLUMNS = 'lib/state/columns/value.ts';
const LIST = 'lib/state/columns/list.ts';
const MAP = 'lib/state/columns/map.ts';
const LOANS = 'lib/state/columns/loans.ts';
const LIFETIME = 'lib/state/columns/lifetime.ts';
const TIMERS = 'lib/state/columns/timers.ts';
const STATE_SET = 'lib/state/state-set.ts';
const RESIDENT_KEYS = 'lib/state/resident-keys.ts';
const SPILLED_PAGES = 'lib/state/spilled-pages.ts';
const CHECK_STATE = 'lib/epoch/start/check-state.ts';
const MAP_FORMAT = 'lib/state/columns/map-format.ts';

export const state: readonly Mutant[] = [
  {
    name: 'an object that a state gave out is saved if it was changed in place',
    edits: [edit(COLUMNS, 'if (encoded === before) continue;', 'if (before !== undefined) continue;')],
  },
  {
    name: 'an object of a list or a map is saved if it was changed in place',
    edits: [edit(LOANS, 'put(number, entry, encode(this.#name, this.#serde, value));', '')],
  },
  {
    name: 'an object of an entry that was deleted does not bring it back',
    edits: [edit(MAP, 'this.#loans.forget(number, entry);', '')],
  },
  {
    name: 'a delta says which entries of a map are gone',
    edits: [edit(MAP, 'this.#change(number, entry); this.#loans.forget(number, entry);', 'this.#loans.forget(number, entry);')],
  },
  {
    name: 'a delta says which entries of a map have changed',
    edits: [edit(MAP, 'if (change !== undefined) change.add(entry);', 'if (change !== undefined) return;')],
  },
  {
    name: 'a map that was cleared keeps nothing of what was there',
    edits: [edit(MAP, 'this.#changeAll(number); this.#loans.forget(number);', 'this.#loans.forget(number);')],
  },
  {
    name: "a map's entries are met in the order of the bytes of their keys",
    edits: [
      edit('lib/state/columns/sorted-entries.ts', 'if ((chunk[middle * 2] as string) < key)', 'if ((chunk[middle * 2] as string) > key)'),
    ],
  },
  {
    name: 'a delta says which entries of a list have changed',
    edits: [edit(LIST, 'if (index < kept) replaced.add(index);', '')],
  },
  {
    name: 'a list that was cleared keeps nothing of what was there',
    edits: [edit(LIST, 'change.kept = 0;', '')],
  },
  {
    name: 'a state that was cleared is gone, and with its last one the key',
    edits: [
      edit(
        COLUMNS,
        'if (this.#values[number] === undefined) return; if (this.#keys.marks[number] !== CHANGED)',
        'if (number >= 0) return; if (this.#keys.marks[number] !== CHANGED)',
      ),
    ],
  },
  {
    name: 'a timer that has fired is gone from the state',
    focus: 'time',
    edits: [edit(TIMERS, 'timers.delete(number, timeMs); return', 'timers.queue.delete(first); return')],
  },
  {
    name: 'a delta says which timers are gone',
    focus: 'time',
    edits: [edit(TIMERS, 'out.varint(times[placeIn(times, timeMs)] === timeMs ? 1 : 0);', 'out.varint(1);')],
  },
  {
    name: 'timers of a snapshot are in the queue again',
    focus: 'time',
    edits: [edit(TIMERS, 'for (const timeMs of times) this.queue.add(this.#timer(number, timeMs));', '')],
  },
  {
    name: 'timers of event time fire before those of processing time',
    focus: 'time',
    edits: [
      edit(
        TIMERS,
        "this.#takeDue('event', watermarkMs) ?? this.#takeDue('processing', processingMs)",
        "this.#takeDue('processing', processingMs) ?? this.#takeDue('event', watermarkMs)",
      ),
    ],
  },
  {
    name: 'in order of time rows of one time come in the order of their origins',
    focus: 'time',
    edits: [edit('lib/state/columns/waiting.ts', 'let row = inOrder(timeMs) + origin;', 'let row = inOrder(timeMs);')],
  },
  {
    name: 'rows that wait are a reason for an epoch',
    focus: 'time',
    edits: [edit('lib/state/columns/waiting.ts', 'return eventMs === undefined ? undefined : { eventMs };', 'return undefined;')],
  },
  {
    name: 'state with a time to live expires',
    focus: 'time',
    edits: [edit(LIFETIME, 'return kept < this.bound();', 'return false;')],
  },
  {
    name: 'what is changed in place stays as old as it was',
    focus: 'time',
    edits: [edit(LIFETIME, 'return kept.slice(0, STAMP_BYTES) + encoded;', 'return this.written(encoded);')],
  },
  {
    name: 'what is read lives as long again if its state says so',
    focus: 'time',
    edits: [edit(LIFETIME, "this.#ttl.refreshOn === 'write' ? kept : this.written(this.encodingOf(kept))", 'kept')],
  },
  {
    name: 'a base leaves out what has expired',
    focus: 'time',
    edits: [edit('lib/state/state-set.ts', 'this.#forgetExpired();', '')],
  },
  {
    name: 'a delta of a list says what has expired',
    focus: 'time',
    edits: [edit(LIST, 'bound: this.#lifetime.bound()', "bound: ''")],
  },
  {
    name: 'what of a map has expired is not met',
    focus: 'time',
    edits: [edit(MAP, 'this.#sweep(number); return this.#walk(number, show);', 'return this.#walk(number, show);')],
  },
  {
    name: 'a state of a broadcast that has not changed keeps its snapshot',
    focus: 'connected',
    edits: [edit('lib/state/broadcast-state.ts', 'return this.#delta !== undefined || this.#set.changed();', 'return false;')],
  },
  {
    name: 'what was broadcast is only read by what was not',
    focus: 'connected',
    edits: [edit('lib/state/broadcast-state.ts', 'this.#set.keys.isSealed = true;', '')],
  },
  {
    name: 'a state goes on with what is stored under its former name',
    focus: 'updates',
    edits: [
      edit(
        'lib/state/stored-state.ts',
        'states.find((state) => state.name === name) ?? states.find(({ formerly = [] }) => formerly.includes(name))',
        'states.find((state) => state.name === name)',
      ),
      edit(CHECK_STATE, 'if (isOwn && uids.has(operator)) continue;', 'continue;'),
    ],
  },
  {
    name: 'each blob of a snapshot says in which version it was written',
    focus: 'updates',
    edits: [
      edit(STATE_SET, 'const translations: (Translation | undefined)[] = [];', 'const translations = ofAll;'),
      edit(
        STATE_SET,
        'const name = `state of ${this.#uid}`;',
        'const name = `state of ${this.#uid}`;\n    const ofAll: (Translation | undefined)[] = [];',
      ),
    ],
  },
  {
    name: 'what is written says the version in which it is written',
    focus: 'updates',
    edits: [
      edit(
        STATE_SET,
        'return writer.finish(this.#stored);',
        'return writer.finish(this.#stored.map((of) => ({ ...of, serdes: of.serdes.map((name, at) => of.reads?.[at]?.[0] ?? name) })));',
      ),
    ],
  },
  {
    name: 'entries of a list are migrated in a delta as in a base',
    focus: 'updates',
    edits: [edit(LIST, 'list[index] = readEntry();', 'list[index] = readSized(cursor);')],
  },
  {
    name: 'keys of a map are migrated, not its values alone',
    focus: 'updates',
    edits: [edit(MAP_FORMAT, 'const key = ofKey(readSized(cursor));\n    entries.set', 'const key = readSized(cursor);\n    entries.set')],
  },
  {
    name: 'a key that has changed stays in memory until the delta holds the change',
    edits: [edit(RESIDENT_KEYS, 'if (this.#keys.marks[number] !== KEPT) continue;', 'if (this.#keys.marks[number] === 0) continue;')],
  },
  {
    name: 'a key that is met is looked for on disk',
    edits: [edit('lib/state/key-index.ts', 'const brought = this.elsewhere?.bring(keyGroup, id);', 'const brought = undefined;')],
  },
  {
    name: 'a change of a key on disk is loaded on top of what it holds',
    edits: [edit(STATE_SET, 'this.keys.find(keyGroup, id) ?? this.residents?.bring(keyGroup, id);', 'this.keys.find(keyGroup, id);')],
  },
  {
    name: 'a base holds what is on disk',
    edits: [edit(STATE_SET, 'residents.writeTo(keyGroup, writer, expire);', '')],
  },
  {
    name: 'timers of keys on disk are waited for',
    focus: 'time',
    edits: [edit(STATE_SET, 'reduce(earliestOf, this.residents?.due());', 'reduce(earliestOf, undefined);')],
  },
  {
    name: 'timers of key groups that were not read are waited for',
    focus: 'time',
    edits: [edit('lib/stages/operator.ts', 'await unread?.readEarliest();', '')],
  },
  {
    name: 'a snapshot says of a key group what of its keys on disk waits for a time',
    focus: 'time',
    edits: [edit(STATE_SET, 'let earliest = residents.waitingIn(keyGroup);', 'let earliest: Due | undefined;')],
  },
  {
    name: 'a snapshot says of a key group what of its keys in memory waits for a time',
    focus: 'time',
    edits: [edit(STATE_SET, 'if (due !== undefined) earliest = earliestOf(earliest, due);', '')],
  },
  {
    name: 'what comes to a key group on disk may be due before all that was there',
    focus: 'time',
    edits: [edit(RESIDENT_KEYS, 'earliestOf(this.#waiting.get(keyGroup), due);', 'this.#waiting.get(keyGroup) ?? due;')],
  },
  {
    name: 'a key on disk says what of it waits for a time',
    focus: 'time',
    edits: [
      edit(
        RESIDENT_KEYS,
        'this.#columns.map((column) => column.dueOf?.(number))',
        'this.#columns.slice(0, 0).map((column) => column.dueOf?.(number))',
      ),
    ],
  },
  {
    name: 'a key that comes from a page on disk is gone from it',
    edits: [edit(SPILLED_PAGES, 'this.#rows.putPage(keyGroup, index, out.view());', '')],
  },
  {
    name: 'a base holds the pages on disk',
    edits: [edit(RESIDENT_KEYS, 'this.#pages.eachBase(keyGroup, (entries, count) => writer.writtenEntries(entries, count));', '')],
  },
  {
    name: 'a key that comes from a page on disk has all changes that deltas have of it',
    edits: [edit(RESIDENT_KEYS, 'for (const bytes of held) this.#apply(number, bytes);', 'this.#apply(number, held[0] as Buffer);')],
  },
  {
    name: 'a base has of keys on disk what deltas have changed',
    edits: [edit(RESIDENT_KEYS, 'for (const key of ofPages) this.#rewrite(keyGroup, key, writer, expire);', '')],
  },
  {
    name: 'a base leaves on disk what it has of the keys there',
    edits: [
      edit(
        RESIDENT_KEYS,
        'this.#pages.replace(keyGroup, writer.bytesFrom(from));',
        'this.#pages.replace(keyGroup, writer.bytesFrom(writer.bytes));',
      ),
    ],
  },
  {
    name: 'a key on disk holds all of it, and not what has changed of it',
    edits: [edit(RESIDENT_KEYS, "writeHeld(this.#columns, number, out, 'base')", "writeHeld(this.#columns, number, out, 'delta')")],
  },
  {
    name: 'a base holds the rows on disk',
    edits: [edit(RESIDENT_KEYS, 'if (expire === undefined) writer.writtenEntry(key, held);', 'if (expire === undefined) void held;')],
  },
  {
    name: 'what may be due by itself does not lie in pages',
    focus: 'time',
    edits: [edit(STATE_SET, 'this.waitsForTime || !payloads.every(isSame)', '!payloads.every(isSame)')],
  },
  {
    name: 'pages hold what the same states have written',
    focus: 'updates',
    edits: [edit(STATE_SET, 'this.waitsForTime || !payloads.every(isSame)', 'this.waitsForTime')],
  },
];
