import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CompilerState, Extractor, ExtractorConfig, type ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** Where the reports are kept. */
export const REPORTS = join(ROOT, 'docs/api');

const NONE = { logLevel: 'none' as ExtractorLogLevel.None };
/** Everything that an author can name, in types: a change of it is a change of the report. Only what it misses is an error. */
const QUIET: IConfigFile['messages'] = {
  extractorMessageReporting: { default: NONE, 'ae-forgotten-export': { ...NONE, addToApiReportFile: true } },
  tsdocMessageReporting: { default: NONE },
  compilerMessageReporting: { default: { logLevel: 'error' as ExtractorLogLevel.Error } },
};

/**
 * What each entry point of the package declares, by the name of its report. @param folder the package, with `dist` in it.
 *
 * @throws Error: the declarations cannot be read
 */
export function apiReports(folder: string): ReadonlyMap<string, string> {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  const entries = Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === 'string'
      ? []
      : [{ name: `onceflow${entry.slice(1).replace('/', '-')}.api.md`, declarations: join(folder, target.types) }],
  );
  const reportFolder = mkdtempSync(join(tmpdir(), 'onceflow-api-'));
  try {
    mkdirSync(join(reportFolder, 'temp'));
    let program: CompilerState | undefined;
    return new Map(
      entries.map((entry) => {
        const config = configOf(folder, reportFolder, entry);
        // One for all of them: they have most of their declarations in common.
        program ??= CompilerState.create(config, { additionalEntryPoints: entries.map(({ declarations }) => declarations) });
        extract(folder, config, program);
        return [entry.name, readFileSync(join(reportFolder, entry.name), 'utf8')];
      }),
    );
  } finally {
    rmSync(reportFolder, { recursive: true, force: true });
  }
}

interface Entry {
  readonly name: string;
  readonly declarations: string;
}

function configOf(folder: string, reportFolder: string, { name, declarations }: Entry): ExtractorConfig {
  const reportTempFolder = join(reportFolder, 'temp');
  const options = { target: 'esnext', module: 'nodenext', moduleResolution: 'nodenext', types: ['node'], strict: true, skipLibCheck: true };
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: declarations,
      compiler: { overrideTsconfig: { compilerOptions: options, files: [declarations] } },
      apiReport: { enabled: true, reportFileName: name, reportFolder, reportTempFolder },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: QUIET,
    },
  });
}

function extract(folder: string, config: ExtractorConfig, compilerState: CompilerState): void {
  const said: string[] = [];
  const { errorCount } = Extractor.invoke(config, {
    localBuild: true,
    compilerState,
    messageCallback(message) {
      if (message.logLevel === 'error') said.push(message.formatMessageWithLocation(folder));
      message.handled = true;
    },
  });
  if (errorCount > 0) throw new Error(`API Extractor cannot read ${config.mainEntryPointFilePath}: ${said.join('; ')}`);
}
