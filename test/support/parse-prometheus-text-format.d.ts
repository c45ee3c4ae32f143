/** The package has no types. */
declare module 'parse-prometheus-text-format' {
  /** Families of samples in Prometheus' text format. */
  export default function parse(
    text: string,
  ): readonly { readonly name: string; readonly type: string; readonly help: string; readonly metrics: readonly object[] }[];
}
