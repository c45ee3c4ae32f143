/*
 * What examples in docstrings speak of without saying what it is: streams of a shop, and what stands around a test. Declared for the compiler
 * alone; test/unit/api/docstrings.test.ts writes it beside the examples.
 */
export const EXAMPLE_GLOBALS = `
import type { Stack } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import type { Message } from '@bufbuild/protobuf';
import type { z as zod } from 'zod';
import type { DataStream, JobBuilder, JobDefinition, SideStreams, SideOutputSpec, WriteAheadSink } from 'onceflow';
import type { StreamJob } from 'onceflow/cdk';
import type { SchemaRegistry } from 'onceflow/registry';
import type { TestJob } from 'onceflow/testing';

declare global {
  interface Order { readonly id: string; readonly customer: string; readonly day: string; readonly currency: string; readonly total: number }
  interface Bid { readonly auction: number; readonly bidder: number; readonly price: number }
  interface Total { readonly user: string; readonly total: number }
  interface Point { readonly x: number; readonly y: number }
  const job: JobBuilder & TestJob;
  const wordCount: JobDefinition;
  const streamJob: StreamJob;
  const stack: Stack;
  const bucket: IBucket;
  const table: ITable;
  const registry: SchemaRegistry;
  const orderSchema: object;
  const OrderSchema: GenMessage<Message & { readonly id: string }>;
  const sink: WriteAheadSink<{ readonly id: number }>;
  const z: typeof zod;
  const glue: { schemaOf(id: string): Promise<undefined>; versionOf(...schema: readonly unknown[]): Promise<string> };
  function read(): Promise<readonly string[]>;
  function secret(name: string): Promise<string>;
  function rateOf(currency: string, signal: AbortSignal): Promise<number>;
  function test(name: string, run: () => unknown): void;
  function expect(value: unknown): { toEqual(value: unknown): void; toMatchObject(value: unknown): void };
  const lines: DataStream<string>;
  const words: DataStream<string>;
  const orders: DataStream<Order>;
  const web: DataStream<Order>;
  const shops: DataStream<Order>;
  const phone: DataStream<Order>;
  const totals: DataStream<Total>;
  const bids: DataStream<Bid>;
  const payments: DataStream<{ readonly order: string; readonly card: string; readonly country: string; readonly amount: number }>;
  const rates: DataStream<{ readonly currency: string; readonly rate: number }>;
  const rules: DataStream<{ readonly name: string }>;
  const limits: DataStream<{ readonly country: string; readonly most: number }>;
  const clicks: DataStream<{ readonly user: string; readonly page: string; readonly button: string }>;
  const views: DataStream<{ readonly user: string; readonly visitor: string; readonly page: string }>;
  const users: DataStream<{ readonly id: string; readonly name?: string }>;
  const addresses: DataStream<{ readonly user: string; readonly city?: string }>;
  const events: DataStream<{ readonly id: string }>;
  const persons: DataStream<{ readonly id: number }>;
  const auctions: DataStream<{ readonly id: number; readonly seller: number }>;
  const checked: SideStreams<{ readonly refused: SideOutputSpec<string> }>;
}
`;
