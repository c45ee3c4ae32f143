/** Looks for the named prerequisites: the command of each that is there, or what to tell of those that are not. */
export function missingPrerequisites(
  names: readonly ('npm' | 'java' | 'jdk' | 'maven' | 'python')[],
): Promise<{ readonly commands: Readonly<Record<string, string>>; readonly problem: string | undefined }>;
