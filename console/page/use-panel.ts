import { useEffect, useState } from 'preact/hooks';
import type { PanelAnswers } from '../server/panels.ts';
import { type Answer, ask } from './ask.ts';

/** What is known of a panel: the newest answer, and the newest that knew something. */
export interface Reading<T> {
  /** Undefined: none has come yet. */
  readonly answer: Answer<T> | undefined;
  readonly known: { readonly of: T; readonly atMs: number } | undefined;
}

/** Asks for a panel again and again, as long as somebody may look at it. @param everyMs undefined: once */
export function usePanel<Name extends keyof PanelAnswers>(
  panel: Name,
  everyMs: number | undefined,
  query: Readonly<Record<string, string>> = {},
): Reading<PanelAnswers[Name]> {
  type Of = PanelAnswers[Name];
  const [reading, setReading] = useState<Reading<Of>>({ answer: undefined, known: undefined });
  const key = JSON.stringify(query);
  useEffect(() => {
    setReading({ answer: undefined, known: undefined });
    return repeat(async () => {
      const answer = await ask(panel, JSON.parse(key) as Record<string, string>);
      return () => setReading((before) => ({ answer, known: answer.is === 'known' ? answer : before.known }));
    }, everyMs);
  }, [panel, everyMs, key]);
  return reading;
}

/** Does `work` now, and again `everyMs` behind its end, but while the page is hidden. What it answers is done unless it was ended meanwhile. @returns ends it */
export function repeat(work: () => Promise<() => void>, everyMs: number | undefined): () => void {
  let isOver = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isUnderWay = false;
  const run = async () => {
    if (isUnderWay || document.hidden) return;
    isUnderWay = true;
    clearTimeout(timer);
    const done = await work();
    isUnderWay = false;
    if (isOver) return;
    done();
    if (everyMs !== undefined) timer = setTimeout(run, everyMs);
  };
  const wake = () => void run();
  if (everyMs !== undefined) document.addEventListener('visibilitychange', wake);
  void run();
  return () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', wake);
  };
}
