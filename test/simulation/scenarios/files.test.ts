import { describe, expect, it } from 'vitest';
import { at, ends, jobNamed, plain, type Rule, resolutions, story } from './story.ts';

/** Somebody ends the upload of the file that is about to be completed. */
const endedUpload = (about: RegExp): Rule => ({
  at: at('completeUpload', { about }),
  also: ({ targets: { uploads } }, { about: file }) => {
    for (const { key, upload } of uploads.open) if (key === file) uploads.abort(upload);
  },
});

/** The checker sees to it at each moment: a list appears behind all that it lists, and every row is in one file once. */
describe('of a decided epoch of several files that have a list', () => {
  const input = [plain(0, 0, 'ant bee #0', 'cow #1'), plain(1_000, 1, 'ant cow #2')];

  it.each([
    ['one file', /^initial=b/],
    ['the list', /^_manifests\//],
  ])('%s is lost: it is uploaded again, and nobody sees a list before its files', async (_what, about) => {
    const told = await story([endedUpload(about)], { job: jobNamed('reaching'), input });
    expect(ends(told)).toEqual(['stopped']);
    expect(resolutions(told)).toEqual(['republished']);
  });
});
