import htm from 'htm';
import { type ComponentChild, h } from 'preact';

/** Its types say that it is CommonJS, and what browsers load is not. */
const build = htm as unknown as typeof htm.default;

/** Elements as they are written in HTML. What is put between is text, whatever it holds. */
export const html = build.bind(h);

export type View = ComponentChild;
