/** A table, and who writes to it. */
export interface ClickHousePlace {
  readonly url: string;
  readonly database: string;
  readonly table: string;
  readonly username: string;
  readonly password: string;
}

/** Of ClickHouse, by name. */
export type Settings = Readonly<Record<string, string | number>>;

/** The rule that a place breaks. */
export function placeProblem({ url, database, table, username, password }: ClickHousePlace): string | undefined {
  if (!isHttp(url)) return `url is ${JSON.stringify(url)}, and must be where the HTTP interface is: http://host:8123 or https://host:8443`;
  for (const [option, name] of [
    ['table', table],
    ['database', database],
  ] as const)
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(String(name)))
      return `${option} is ${JSON.stringify(name)}, and must be a name of letters, digits and _ that begins with no digit; the database is an option of its own`;
  if (typeof username !== 'string' || username === '') return 'username is empty, and must be a name: leave it out for "default"';
  if (typeof password !== 'string') return `password is ${typeof password}, and must be a text: leave it out for none`;
  return undefined;
}

function isHttp(url: unknown): boolean {
  if (typeof url !== 'string' || !URL.canParse(url)) return false;
  const { protocol, username, pathname } = new URL(url);
  return /^https?:$/.test(protocol) && username === '' && pathname === '/';
}
