/*
 * Maps by a name that a job's author chose (a uid, a topic, a state), where they are plain objects: in what travels and is
 * stored as JSON. An object inherits. In every one `constructor` is there, and what is put under `__proto__` is nowhere.
 * So such maps are made by `byName` (`handlesByName` for handles) and read by `ofName`, and by nothing else.
 */

/** A map that holds these and nothing else, not even what every object has. */
export function byName<T>(entries: Iterable<readonly [string, T]> = []): Record<string, T> {
  const map: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) map[name] = value;
  return map;
}

/**
 * The same of a few names that a job's functions read at each record. To V8 an object that is made without a prototype is a hash
 * table, in which each reading is a look-up; one that loses it later is a struct, and is read at a known place.
 */
export function handlesByName<T>(entries: Iterable<readonly [string, T]>): Readonly<Record<string, T>> {
  return Object.setPrototypeOf(Object.fromEntries(entries), null);
}

/** What was put under the name, whoever made the map; undefined when nothing was. */
export function ofName<T>(map: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined;
}
