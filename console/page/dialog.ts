import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActionOutcome } from '../server/outcome.ts';
import { act } from './ask.ts';
import { html, type View } from './html.ts';

/** What a person is asked before something is done. */
export interface Asked {
  readonly title: string;
  readonly action: string;
  /** What is sent. Undefined: what was filled in is not right yet, and the browser has said so. */
  readonly body: () => object | undefined;
  /** The same on the command line, behind `onceflow`. */
  readonly command: string;
  /** What the button says that does it. */
  readonly confirm: string;
  /** @default false */
  readonly isGrave?: boolean;
  readonly children: ComponentChildren;
}

let show: ((asked: Asked) => void) | undefined;

export function openDialog(asked: Asked): void {
  show?.(asked);
}

/** Where dialogs are: beside the panels, because what has opened one may be gone when its answer comes. */
export function Dialogs(): View {
  const [asked, setAsked] = useState<Asked | undefined>(undefined);
  useEffect(() => {
    show = setAsked;
    return () => {
      show = undefined;
    };
  }, []);
  return asked === undefined ? undefined : html`<${Dialog} ...${asked} onClose=${() => setAsked(undefined)} />`;
}

type Step = 'asks' | 'acts' | ActionOutcome;

function Dialog({ title, action, body, command, confirm, isGrave, children, onClose }: Asked & { readonly onClose: () => void }): View {
  const dialog = useRef<HTMLDialogElement>(null);
  const [step, setStep] = useState<Step>('asks');
  useEffect(() => dialog.current?.showModal(), []);
  const go = async () => {
    const asked = body();
    if (asked === undefined) return;
    setStep('acts');
    setStep(await act(action, asked));
  };
  // By the element, which gives the focus back to the button that has opened it.
  const close = () => dialog.current?.close();
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && event.target instanceof HTMLInputElement) void go();
  };
  return html`<dialog ref=${dialog} onClose=${onClose} onKeyDown=${onKey} aria-labelledby="dialog-title">
    <h2 id="dialog-title">${title}</h2>
    ${
      step === 'asks' &&
      html`
      ${children}
      <p class="quiet">The same as <code>onceflow ${command}</code></p>
      <div class="buttons">
        <button type="button" onClick=${close} autofocus>Do nothing</button>
        <button type="button" class=${isGrave === true ? 'grave' : 'main'} onClick=${() => void go()}>${confirm}</button>
      </div>`
    }
    ${
      step === 'acts' &&
      html`<p role="status">Under way… You may close this: what was asked for goes on.</p>
      <div class="buttons"><button type="button" onClick=${close}>Close</button></div>`
    }
    ${
      typeof step === 'object' &&
      html`<p role="status"><strong>${WORDS[step.is]}</strong></p><p class="lines">${step.text}</p>
      <div class="buttons"><button type="button" class="main" onClick=${close} autofocus>Close</button></div>`
    }
  </dialog>`;
}

const WORDS = { done: '✓ Done', refused: '✕ Refused, nothing was done', failed: '✕ Failed' } as const;
