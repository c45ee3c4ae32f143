import { create, createFileRegistry, type DescMessage, type Message } from '@bufbuild/protobuf';
import {
  type FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

/*
 * What protoc-gen-es makes of these two files, without protoc.
 */

export const moneyProto = `syntax = "proto3";
package shop;
message Money { int64 cents = 1; string currency = 2; }
`;

export const orderProto = `syntax = "proto3"; // message Nothing {
package shop;
import "shop/money.proto";
/* message Neither { */
enum State { UNKNOWN = 0; PAID = 1; }
message Refund {
  option (note) = { text: "message Nowhere {" };
  int64 order = 1;
}
message Order {
  message Line {
    string sku = 1;
    int64 count = 2;
  }
  message Unused {}
  int64 id = 1;
  repeated Line lines = 2;
  map<string, Money> prices = 3;
  oneof paid { uint64 at = 4; string by = 5; }
  bytes raw = 6;
}
`;

const field = (name: string, number: number, type: FieldDescriptorProto_Type, more: object = {}) =>
  ({ name, jsonName: name, number, type, label: Label.OPTIONAL, ...more }) as const;
const line = { name: 'Line', field: [field('sku', 1, Type.STRING), field('count', 2, Type.INT64)] };
const pricesEntry = {
  name: 'PricesEntry',
  field: [field('key', 1, Type.STRING), field('value', 2, Type.MESSAGE, { typeName: '.shop.Money' })],
  options: { mapEntry: true },
};
const orderFields = [
  field('id', 1, Type.INT64),
  field('lines', 2, Type.MESSAGE, { typeName: '.shop.Order.Line', label: Label.REPEATED }),
  field('prices', 3, Type.MESSAGE, { typeName: '.shop.Order.PricesEntry', label: Label.REPEATED }),
  field('at', 4, Type.UINT64, { oneofIndex: 0 }),
  field('by', 5, Type.STRING, { oneofIndex: 0 }),
  field('raw', 6, Type.BYTES),
];
const money = create(FileDescriptorProtoSchema, {
  name: 'shop/money.proto',
  package: 'shop',
  syntax: 'proto3',
  messageType: [{ name: 'Money', field: [field('cents', 1, Type.INT64), field('currency', 2, Type.STRING)] }],
});

/** The file of the order, with fields beside its own: another version of it. */
function fileWith(more: readonly ReturnType<typeof field>[]) {
  const order = create(FileDescriptorProtoSchema, {
    name: 'shop/order.proto',
    package: 'shop',
    syntax: 'proto3',
    dependency: ['shop/money.proto'],
    enumType: [{ name: 'State', value: [{ name: 'UNKNOWN', number: 0 }] }],
    messageType: [
      { name: 'Refund', field: [field('order', 1, Type.INT64)] },
      {
        name: 'Order',
        field: [...orderFields, ...more],
        // protoc puts a map's entry among them too.
        nestedType: [pricesEntry, line, { name: 'Unused' }],
        oneofDecl: [{ name: 'paid' }],
      },
    ],
  });
  return createFileRegistry(order, (name) => (name === 'shop/money.proto' ? money : undefined));
}

function messageOf<T>(name: string, file = fileWith([])): Desc<T> {
  return file.getMessage(name) as Desc<T>;
}

/** As the generated code types it. */
type Desc<T> = DescMessage & { readonly '~shape'?: T };

export interface Order extends Message<'shop.Order'> {
  readonly id: bigint;
  readonly paid:
    | { readonly case: 'at'; readonly value: bigint }
    | { readonly case: 'by'; readonly value: string }
    | { readonly case: undefined };
}

export const OrderSchema = messageOf<Order>('shop.Order');
export const LineSchema = messageOf<Message>('shop.Order.Line');
export const RefundSchema = messageOf<Message>('shop.Refund');
export const MoneySchema = messageOf<Message>(
  'shop.Money',
  createFileRegistry(money, () => undefined),
);
/** Of a later version of its file. */
export const NewerOrderSchema = messageOf<Order>('shop.Order', fileWith([field('note', 7, Type.STRING)]));
