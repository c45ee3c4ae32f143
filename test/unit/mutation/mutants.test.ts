import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { engine } from '../../mutation/engine.ts';
import { keyOf, mutantsOf } from '../../mutation/mutants.ts';
import { withProbes } from '../../mutation/reach.ts';

const afters = (source: string) => mutantsOf('x.ts', source).map(({ after }) => after);

describe('each way to break a line', () => {
  it.each([
    ['if (a) b = c;', ['if (true) b = c;', 'if (false) b = c;', 'if (!(a)) b = c;', 'if (a) {}']],
    ['const x = a ? b : c;', ['const x = true ? b : c;', 'const x = false ? b : c;', 'const x = !(a) ? b : c;']],
    ['const x = a && b;', ['const x = a || b;', 'const x = a;', 'const x = b;']],
    ['const x = a ?? b;', ['const x = a;', 'const x = b;']],
    ['const x = a <= b;', ['const x = a < b;', 'const x = a > b;']],
    ['const x = a === b;', ['const x = a !== b;']],
    ['const x = !a;', ['const x = a;']],
    ['const x = a?.b;', ['const x = a.b;']],
    ['const x = a + 2;', ['const x = a - 2;', 'const x = a + 3;', 'const x = a + 1;']],
    ['const LONG_MS = 5_000;', ['const LONG_MS = 0;']],
    ['const x = Math.min(a, b);', ['const x = Math.max(a, b);']],
    ['const x = a.filter(b);', ['const x = a;']],
    ['const x = a.some(b);', ['const x = a.every(b);']],
    ['const x = a.toString();', []],
    ['const x = [a, ...b];', ['const x = [];', 'const x = [...b];', 'const x = [a];']],
    ['const x = { a, b: c };', ['const x = { b: c };', 'const x = { a };']],
    ['const f = () => true;', ['const f = () => false;']],
    ["const f = () => 'k';", ["const f = () => '';"]],
    ['await a();', ['{}', 'a();']],
    ['while (a) b();', ['while (false) b();', '{}', 'while (a) {}']],
    ['throw a;', ['{}']],
  ])('%s', (source, expected) => {
    expect(afters(source)).toEqual(expected);
  });

  it('leaves alone types, imports, and texts for people', () => {
    expect(afters("import a from 'a';\ninterface B { readonly c: 1 | 2 }\ntype D = 3;")).toEqual([]);
    expect(afters("const e = new StoreProblem(`${a ? 'one' : 'two'}`, [1]);")).toEqual([]);
    expect(afters("function lostMessage(a: number) { return a > 1 ? 'lost' : 'gone'; }")).toEqual([]);
    expect(afters('const message = `${a + 1}`; const f = () => `of ${b ?? c} of them`;')).toEqual([]);
    expect(afters("deps.observe({ event: 'warning', message: 'late' });")).toEqual([]);
  });

  it('a mutant is known by its lines and the functions around it, wherever they are', () => {
    const source = 'export function outer() {\n  const inner = () => {\n    f();\n    f();\n  };\n}\n';
    const [first, second] = mutantsOf('x.ts', source);
    expect(first).toMatchObject({ line: 3, within: 'outer.inner', before: 'f();', after: '{}', nth: 1 });
    expect(second).toMatchObject({ line: 4, within: 'outer.inner', before: 'f();', after: '{}', nth: 2 });
    expect(mutantsOf('x.ts', `\n\n${source}`).map(keyOf)).toEqual([first, second].map((mutant) => mutant && keyOf(mutant)));
  });
});

describe('probes', () => {
  const source = `
    const small = (n, least = n + 1) => ({ least });
    function classOf(n) {
      if (n > 9) return 'large';
      else if (n > 4) return 'middle';
      switch (n) {
        case 4: return 'four';
        default: { for (let i = 0; i < n; i++) seen.push(i); }
      }
      return small(n).least;
    }
    return classOf;`;
  const met: number[] = [];
  const classOf = new Function('__reach', 'seen', withProbes(source, 0))((point: number) => met.push(point), []);
  const metBy = (n: number) => {
    met.length = 0;
    classOf(n);
    return mutantsOf('x.ts', source)
      .filter(({ point }) => point !== undefined && met.includes(point))
      .map(({ line, after }) => `${line}: ${after}`);
  };

  it('change nothing', () => {
    expect([classOf(10), classOf(5), classOf(4), classOf(3)]).toEqual(['large', 'middle', 'four', 4]);
  });

  it('tell which mutants a call comes to: those of its own branches and of no others', () => {
    expect(metBy(10)).toContain("4: if (n > 9) return '';");
    expect(metBy(10).filter((mutant) => !mutant.startsWith('4: '))).toEqual([]);
    expect(metBy(5)).toContain("5: else if (n > 4) return '';");
    expect(metBy(5)).not.toContain("7: case 4: return '';");
    expect(metBy(4)).toContain("7: case 4: return '';");
    expect(metBy(4)).not.toContain('8: default: { for (let i = 0; i < n; i++) {} }');
    expect(metBy(3)).toContain('8: default: { for (let i = 0; i < n; i++) {} }');
    expect(metBy(3)).toContain('2: const small = (n, least = n - 1) => ({ least });');
  });
});

it('every equivalent mutant is still one of the sources', () => {
  const files = new Set(engine.equivalent.map(({ file }) => file));
  const all = new Set([...files].flatMap((file) => mutantsOf(file, readFileSync(file, 'utf8')).map(keyOf)));
  expect(engine.equivalent.filter((entry) => !all.has(keyOf(entry)))).toEqual([]);
});
