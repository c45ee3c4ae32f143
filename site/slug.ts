/** The anchor of a heading, as the places that show Markdown files make it: so a link works in both. */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}

/** Of one page in order: the second of the same name is `name-1`. */
export function slugsOf(headings: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return headings.map((heading) => {
    const slug = slugOf(heading);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/** What the headings of a page say, without their marks. */
export function headingsIn(text: string): string[] {
  const outside = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...outside.matchAll(/^#{1,6} (?<heading>.+)$/gm)].map(({ groups }) =>
    (groups?.['heading'] ?? '').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1').replace(/[`*]/g, ''),
  );
}
