/** What a visitor looked at in one go: page views with no more than half an hour between them. */
import { defineJob, json, kafkaSink, kafkaSource, type Output, sessionWindows, utf8 } from '../lib/api/index.ts';

interface View {
  readonly visitor: string;
  readonly page: string;
  readonly at: string;
}

const views = kafkaSource({
  topic: 'page-views',
  value: json<View>(),
  eventTime: { timestamp: ({ at }) => Date.parse(at), maxOutOfOrdernessMs: 60_000 },
});

export default defineJob('sessions', (job) => {
  job
    .source('read-views', views)
    .keyBy(({ visitor }) => visitor, utf8)
    .window(sessionWindows({ gapMs: 30 * 60_000 }))
    .process(
      'visit',
      (visit, { key, startMs }, out: Output<string>) => {
        const pages = visit.map(({ page }) => page).join(' ');
        out.emit(`${key} at ${new Date(startMs).toISOString().slice(11, 16)}: ${pages}`);
      },
      json<View>(),
    )
    .sink('write-visits', kafkaSink({ topic: 'page-visits', value: utf8 }));
});
