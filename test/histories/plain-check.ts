import type { Append, History } from './history.ts';

/**
 * What is wrong with a history, without any checker's code: each element is shown once; of two lists of a key the shorter is how the longer
 * begins, each ends with the element that it is of, and none holds an element twice; what one partition brought is in its order.
 */
export function wrongIn({ appends, strangers }: History): string[] {
  const counts = appends.flatMap(({ key, element, seen }) =>
    seen.length === 1 ? [] : [`${key} ${element} is shown ${seen.length} times, and was sent once`],
  );
  const lists = [...Map.groupBy(appends, ({ key }) => key)].flatMap(([key, of]) => wrongInKey(key, of));
  return [...strangers.map((text) => `nobody has sent: ${text}`), ...counts, ...lists];
}

function wrongInKey(key: string, appends: readonly Append[]): string[] {
  const shown = appends.flatMap(({ element, seen }) => seen.map(({ list }) => ({ element, list })));
  const [longest] = shown.toSorted((one, other) => other.list.length - one.list.length);
  if (longest === undefined) return [];
  const { list: whole } = longest;
  const wrong = shown.flatMap(({ element, list }) => [
    ...(list.every((each, index) => each === whole[index]) ? [] : [`${key}: ${list} is not how ${whole} begins`]),
    ...(list.at(-1) === element ? [] : [`${key}: the list of ${element} ends with ${list.at(-1)}`]),
  ]);
  if (new Set(whole).size < whole.length) wrong.push(`${key}: an element is in ${whole} twice`);
  if (whole.length !== appends.length) wrong.push(`${key}: ${appends.length} elements were sent, and ${whole} has ${whole.length}`);
  const placeOf = new Map(whole.map((element, index) => [element, index]));
  for (const [partition, of] of Map.groupBy(appends, (append) => append.partition)) {
    const places = of.toSorted((one, other) => one.place - other.place).map(({ element }) => placeOf.get(element) ?? -1);
    if (places.some((place, index) => index > 0 && place < (places[index - 1] ?? -1)))
      wrong.push(`${key}: what partition ${partition} brought is not in its order in ${whole}`);
  }
  return wrong;
}
