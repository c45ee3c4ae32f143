import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig, type ExtractorLogLevel, type IConfigFile } from '@microsoft/api-extractor';

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
  const reports = new Map<string, string>();
  for (const [entry, target] of Object.entries(exports))
    if (typeof target !== 'string') {
      const name = `onceflow${entry.slice(1).replace('/', '-')}.api.md`;
      reports.set(name, apiReport(folder, join(folder, target.types), name));
    }
  return reports;
}

function apiReport(folder: string, declarations: string, name: string): string {
  const reportFolder = mkdtempSync(join(tmpdir(), 'onceflow-api-'));
  const reportTempFolder = join(reportFolder, 'temp');
  mkdirSync(reportTempFolder);
  const options = { target: 'esnext', module: 'nodenext', moduleResolution: 'nodenext', types: ['node'], strict: true, skipLibCheck: true };
  const config = ExtractorConfig.prepare({
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
  try {
    const said: string[] = [];
    const { errorCount } = Extractor.invoke(config, {
      localBuild: true,
      messageCallback(message) {
        if (message.logLevel === 'error') said.push(message.formatMessageWithLocation(folder));
        message.handled = true;
      },
    });
    if (errorCount > 0) throw new Error(`API Extractor cannot read ${declarations}: ${said.join('; ')}`);
    return readFileSync(join(reportFolder, name), 'utf8');
  } finally {
    rmSync(reportFolder, { recursive: true, force: true });
  }
}
