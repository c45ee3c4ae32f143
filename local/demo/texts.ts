import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Guides that come with the packages of this checkout: about 75,000 words of prose and code. */
const PACKAGED = [
  'README.md',
  'aws-ec2/README.md',
  'aws-lambda/README.md',
  'aws-s3/README.md',
  'aws-dynamodb/README.md',
  'aws-iam/README.md',
  'pipelines/README.md',
  'aws-ecs/README.md',
];

/** The non-empty lines of the files, in order; of the default texts when none are named. */
export function readLines(files: readonly string[]): string[] {
  const paths =
    files.length > 0 ? files : PACKAGED.map((name) => fileURLToPath(new URL(`../../node_modules/aws-cdk-lib/${name}`, import.meta.url)));
  return paths.flatMap((path) => readFileSync(path, 'utf8').split('\n')).filter((line) => line !== '');
}

/** How often each word is in the lines: split on single spaces, as the job splits them. */
export function countWords(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
