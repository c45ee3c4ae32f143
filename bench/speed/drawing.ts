import { type Chart, drawCharts } from '../harness/chart.ts';
import type { Speed } from './speed.ts';
import { valueText } from './texts.ts';

/** What is compared with Flink, as bars. */
export function speedDrawing({ machine, charts }: Speed): string {
  const drawn = charts.map(
    ({ name, runs, figures }): Chart => ({
      name,
      note: `medians of ${runs} runs; a line from the least to the most, where it is known`,
      panels: figures.flatMap(({ what, unit, better, onceflow, flink }) =>
        flink === undefined
          ? []
          : [
              {
                title: `${what}: ${better} is better`,
                bars: [
                  { name: 'Onceflow', isOurs: true, ...onceflow, text: valueText(onceflow.median, unit) },
                  { name: 'Flink', isOurs: false, ...flink, text: valueText(flink.median, unit) },
                ],
              },
            ],
      ),
    }),
  );
  return drawCharts(`Onceflow and Flink, measured: ${machine}`, drawn);
}
