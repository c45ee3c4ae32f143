/** What the owner of a stack asks its keeper to do. */
export type KeeperRequest =
  | {
      readonly ask: 'start';
      readonly name: string;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string | undefined>>;
      readonly log: string;
    }
  /** When it ends, besides its folder. */
  | { readonly ask: 'remove-at-end'; readonly path: string }
  | { readonly ask: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals };

/** What the keeper reports. */
export type KeeperReport =
  | { readonly report: 'started'; readonly name: string; readonly pid: number }
  | { readonly report: 'not-started'; readonly name: string; readonly reason: string }
  | { readonly report: 'ended'; readonly pid: number; readonly how: string };
