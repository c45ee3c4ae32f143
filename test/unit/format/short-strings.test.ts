import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SHORT_STRING, ShortStrings } from '../../../lib/format/short-strings.ts';

/** Few characters, so that strings collide in all but one, and some that are wide, zero, or look like padding. */
const short = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff', 'Ā', '語'), maxLength: SHORT_STRING });

test('finds what was added and nothing else, as a Map does', () => {
  fc.assert(
    fc.property(fc.array(short, { maxLength: 60 }), fc.array(short, { maxLength: 20 }), (texts, others) => {
      const strings = new ShortStrings();
      const model = new Map<string, number>();
      for (const text of texts) {
        expect(strings.find(text)).toBe(model.get(text) ?? -1);
        if (model.has(text)) continue;
        strings.add(text, model.size);
        model.set(text, model.size);
      }
      for (const text of [...texts, ...others]) expect(strings.find(text)).toBe(model.get(text) ?? -1);
      strings.clear();
      for (const text of texts) expect(strings.find(text)).toBe(-1);
    }),
  );
});

test('a hundred thousand strings of every length are found while and after the table grows', () => {
  const strings = new ShortStrings();
  const text = (number: number) => `${number}`.padStart(number % (SHORT_STRING + 1), 'x');
  for (let number = 0; number < 100_000; number++) {
    strings.add(text(number), number);
    const earlier = (number * 7919) % (number + 1);
    if (strings.find(text(earlier)) !== earlier) expect.fail(`${text(earlier)} was lost at ${number}`);
  }
  for (let number = 0; number < 100_000; number++) if (strings.find(text(number)) !== number) expect.fail(`${text(number)} is lost`);
});

test('strings that all want the same slot are found, also after the table has grown', () => {
  // The hash of (first, 0, 0) depends on one word only: search four-character strings that meet in 1024 and in 2048 slots.
  const slots = (text: string) => {
    const word = [...text].reduce((packed, character) => (packed << 8) | character.charCodeAt(0), 0);
    const mixed = Math.imul(word, 0x9e3779b1);
    const hash = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & 4095;
  };
  const meeting: string[] = [];
  for (let number = 0; meeting.length < 60; number++) {
    const text = String.fromCharCode(1 + (number >> 21), 1 + ((number >> 14) & 127), 1 + ((number >> 7) & 127), 1 + (number & 127));
    if (slots(text) === 77) meeting.push(text);
  }
  const strings = new ShortStrings();
  for (const [number, text] of meeting.entries()) strings.add(text, number);
  expect(meeting.map((text) => strings.find(text))).toEqual(meeting.map((_, number) => number));
  for (let number = 60; number < 2500; number++) strings.add(`filler-${number}`, number);
  expect(meeting.map((text) => strings.find(text))).toEqual(meeting.map((_, number) => number));
});

test('a character beyond Latin-1 is not taken for the bits that it shares with others', () => {
  const strings = new ShortStrings();
  strings.add('a\0', 1);
  expect(strings.find('aĀ')).toBe(-1);
  strings.add('aĀ', 2);
  expect([strings.find('a\0'), strings.find('aĀ'), strings.find('a\0\0')]).toEqual([1, 2, -1]);
});
