import { copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { buildSync } from 'esbuild';
import { acknowledge } from '../acknowledge.ts';

const HANDLERS = fileURLToPath(new URL('../../functions/', import.meta.url));

/** The module of the job in the bundle, as ONCEFLOW_JOB names it there. */
export const JOB_IN_BUNDLE = './job.mjs';

/** The certificates of the brokers' authorities in the bundle, beside the handlers. */
export const CA_IN_BUNDLE = 'kafka-ca.pem';

/** Kafka's client and some of its parts are CommonJS and ask for Node's modules by `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/**
 * All functions of a job in one archive, bundled here by esbuild: each handler and the job are a module of their own, and
 * share what they have in common, so that an error class or a serde is the same one on both sides, and a function loads
 * only what it runs. The archive's hash is that of its content: it names the build.
 */
export function bundleFunctions(scope: Construct, entry: string, kafkaCaFile: string | undefined): Asset {
  const bundle = new Asset(scope, 'Bundle', {
    path: HANDLERS,
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the bundle is made by the process that builds the tree, without Docker.
      image: DockerImage.fromRegistry('unused'),
      local: {
        tryBundle(outputDir) {
          writeBundle(entry, outputDir);
          if (kafkaCaFile !== undefined) copyFileSync(kafkaCaFile, join(outputDir, CA_IN_BUNDLE));
          return true;
        },
      },
    },
  });
  acknowledge(bundle.bucket, {
    'Annotation::@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified':
      'The key of an asset is the hash of its content: it never changes.',
  });
  return bundle;
}

/** Writes the modules of the bundle into a folder. */
export function writeBundle(entry: string, folder: string): void {
  const handlers = ['coordinator', 'source', 'operator', 'sink'].map((role) => [role, join(HANDLERS, `${role}.ts`)]);
  buildSync({
    entryPoints: { ...Object.fromEntries(handlers), job: resolve(entry) },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    chunkNames: 'shared/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE },
    minify: true,
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  });
}
