import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Annotations, AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { Construct } from 'constructs';
import { acknowledge } from '../acknowledge.ts';
import type { DeploymentSettings } from '../settings.ts';
import { checkBundle, placesOfFiles } from './check-bundle.ts';
import { writeBundle } from './write-bundle.ts';

const HANDLERS = fileURLToPath(new URL('../../functions/', import.meta.url));

/** The certificates of the brokers' authorities in the bundle, beside the handlers. */
export const CA_IN_BUNDLE = 'kafka-ca.pem';

/** The same of a cluster that has a name. */
export function caInBundle(cluster: string): string {
  return `kafka-ca-${cluster}.pem`;
}

/**
 * All functions of a job in one archive: see `writeBundle`. It is checked to be the job that this machine knows (`checkBundle`). The
 * archive's hash is that of its content: it names the build.
 *
 * @param environment of the functions, but for what the deployment makes
 */
export function bundleFunctions(scope: Construct, settings: DeploymentSettings, environment: Readonly<Record<string, string>>): Asset {
  const { job: entry, kafkaCaFile, kafkaClusters = {} } = settings.config;
  const bundle = new Asset(scope, 'Bundle', {
    path: HANDLERS,
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the bundle is made by the process that builds the tree, without Docker.
      image: DockerImage.fromRegistry('unused'),
      local: {
        tryBundle(outputDir) {
          const sources = writeBundle(entry, outputDir);
          if (kafkaCaFile !== undefined) copyFileSync(kafkaCaFile, join(outputDir, CA_IN_BUNDLE));
          for (const [cluster, own] of Object.entries(kafkaClusters))
            if (own.kafkaCaFile !== undefined) copyFileSync(own.kafkaCaFile, join(outputDir, caInBundle(cluster)));
          for (const place of placesOfFiles(sources)) warn(scope, place);
          checkBundle(outputDir, { entry, sources, here: settings.job, environment, machine: process.env });
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

/** What is read while the job is loaded, the check finds; what is read later, nobody. */
function warn(scope: Construct, place: string): void {
  const what = `${place} asks where the module is: in the bundle that is another folder, and no file beside the job is in it`;
  Annotations.of(scope).addWarningV2('onceflow:place-of-module', `${what}. Import JSON, and write text into a module`);
}
