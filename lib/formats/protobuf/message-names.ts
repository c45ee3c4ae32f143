import { fromBinary } from '@bufbuild/protobuf';
import { type DescriptorProto, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';

/** The messages of a file, in the order in which they stand there: by these places records name theirs. */
export interface MessageNames {
  /** The empty string: none. */
  readonly package: string;
  readonly messages: readonly NamedMessage[];
}

interface NamedMessage {
  readonly name: string;
  readonly messages: readonly NamedMessage[];
}

/** @param text a `.proto` file, or the Base64 of its descriptor. Throws when it is neither. */
export function messageNamesOf(text: string): MessageNames {
  const packed = text.trim();
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(packed)) return namesInSource(text);
  const file = fromBinary(FileDescriptorProtoSchema, new Uint8Array(Buffer.from(packed, 'base64')));
  return { package: file.package, messages: file.messageType.map(namesIn) };
}

function namesIn({ name, nestedType }: DescriptorProto): NamedMessage {
  return { name, messages: nestedType.filter(({ options }) => options?.mapEntry !== true).map(namesIn) };
}

/** The full name of the message at these places; undefined: there is none. */
export function messageAt({ package: inPackage, messages }: MessageNames, path: readonly number[]): string | undefined {
  const names = inPackage === '' ? [] : [inPackage];
  let among = messages;
  for (const index of path) {
    const found = among[index];
    if (found === undefined) return undefined;
    names.push(found.name);
    among = found.messages;
  }
  return path.length === 0 ? undefined : names.join('.');
}

/** Where the message of that full name is; undefined: nowhere. */
export function placesOf({ package: inPackage, messages }: MessageNames, fullName: string): readonly number[] | undefined {
  const find = (among: readonly NamedMessage[], before: string): readonly number[] | undefined => {
    for (const [index, { name, messages: nested }] of among.entries()) {
      const full = before === '' ? name : `${before}.${name}`;
      if (full === fullName) return [index];
      const deeper = fullName.startsWith(`${full}.`) ? find(nested, full) : undefined;
      if (deeper !== undefined) return [index, ...deeper];
    }
    return undefined;
  };
  return find(messages, inPackage);
}

// --- The source of a file: no more of it than where its messages begin and end. ---

/** Comments, strings, names and single characters. */
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[A-Za-z_][\w.]*|\S/g;

const VISIBILITY: ReadonlySet<string> = new Set(['export', 'local']);

interface OpenBlock {
  /** Undefined: it is of something else than a message. */
  readonly message: { readonly name: string; readonly messages: NamedMessage[] } | undefined;
}

function namesInSource(source: string): MessageNames {
  const tokens = (source.match(TOKEN) ?? []).filter((token) => !token.startsWith('//') && !token.startsWith('/*'));
  const messages: NamedMessage[] = [];
  const open: OpenBlock[] = [];
  let statement: string[] = [];
  let inPackage = '';
  for (const token of tokens) {
    if (token === '{') {
      const name = messageIn(statement);
      const message = name === undefined ? undefined : { name, messages: [] };
      if (message !== undefined) (open.findLast((block) => block.message !== undefined)?.message?.messages ?? messages).push(message);
      open.push({ message });
      statement = [];
    } else if (token === '}' || token === ';') {
      if (token === '}' && open.pop() === undefined) throw new Error('the .proto file closes a block that it does not open');
      if (token === ';' && open.length === 0 && statement[0] === 'package') inPackage = statement[1] ?? '';
      statement = [];
    } else {
      statement.push(token);
    }
  }
  if (open.length > 0) throw new Error('the .proto file does not close a block');
  if (messages.length === 0) throw new Error('the .proto file has no message');
  return { package: inPackage, messages };
}

/** What a block is called that is a message: `message NAME`, since edition 2024 also `export` or `local` before it, or `optional group NAME = 1`. */
function messageIn(statement: readonly string[]): string | undefined {
  const own = VISIBILITY.has(statement[0] ?? '') ? statement.slice(1) : statement;
  if (own[0] === 'message' && own.length === 2) return own[1];
  const group = statement.indexOf('group');
  return (group === 0 || group === 1) && statement[group + 2] === '=' ? statement[group + 1] : undefined;
}
