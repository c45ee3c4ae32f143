import ts from 'typescript';

/** One way to break a piece of a source: the text from `start` to `end` becomes `text`. */
export interface Change {
  readonly operator: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const SWAPPED: Readonly<Record<string, readonly string[]>> = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '&&': ['||'],
  '||': ['&&'],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '+=': ['-='],
  '-=': ['+='],
  '??=': ['='],
};
const OTHER_CALLS = new Map([
  ['Math.min', 'max'],
  ['Math.max', 'min'],
  ['some', 'every'],
  ['every', 'some'],
]);
const NEEDLESS_CALLS = ['filter', 'slice', 'sort', 'toSorted', 'reverse', 'toReversed'];

/** Up to here a number counts something, and one more or less of it matters; a larger one is a size or a time. */
const SMALL = 10;

/** All the ways to break this node itself; its children are visited on their own. */
export function changesOf(node: ts.Node): Change[] {
  const changes: Change[] = [];
  const replace = (operator: string, what: ts.Node, text: string) => {
    changes.push({ operator, start: what.getStart(), end: what.getEnd(), text });
  };

  if (ts.isIfStatement(node)) breakCondition(node.expression);
  else if (ts.isConditionalExpression(node)) breakCondition(node.condition);
  else if (ts.isWhileStatement(node) || ts.isDoStatement(node)) replace('condition', node.expression, 'false');
  else if (ts.isForStatement(node) && node.condition !== undefined) replace('condition', node.condition, 'false');
  else if (ts.isBinaryExpression(node)) breakBinary(node);
  else if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) breakUnary(node);
  else if (ts.isNumericLiteral(node)) breakNumber(node);
  else if (node.kind === ts.SyntaxKind.TrueKeyword) replace('boolean', node, 'false');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) replace('boolean', node, 'true');
  else if (ts.isArrayLiteralExpression(node)) {
    if (node.elements.length > 0) replace('empty', node, '[]');
    dropEach(node.elements);
  } else if (ts.isObjectLiteralExpression(node)) dropEach(node.properties);
  else if (ts.isCallExpression(node)) breakCall(node);

  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node)) {
    const { questionDotToken } = node;
    if (questionDotToken !== undefined) replace('optional chaining', questionDotToken, ts.isPropertyAccessExpression(node) ? '.' : '');
  }
  if ((ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) && isResult(node)) replace('empty', node, "''");
  if (ts.isExpressionStatement(node)) {
    if (!node.getText().startsWith('super(')) replace('statement', node, '{}');
    if (ts.isAwaitExpression(node.expression)) replace('await', node, `${node.expression.expression.getText()};`);
  } else if (ts.isThrowStatement(node) || (ts.isIterationStatement(node, false) && !ts.isDoStatement(node)))
    replace('statement', node, '{}');
  return changes;

  function breakCondition(condition: ts.Expression): void {
    replace('condition', condition, 'true');
    replace('condition', condition, 'false');
    // What is swapped or loses its `!` elsewhere is negated by that.
    if (!ts.isBinaryExpression(condition) && !ts.isPrefixUnaryExpression(condition))
      replace('condition', condition, `!(${condition.getText()})`);
  }

  function breakBinary({ left, operatorToken, right }: ts.BinaryExpression): void {
    const sign = operatorToken.getText();
    for (const other of SWAPPED[sign] ?? []) replace('operator', node, `${left.getText()} ${other} ${right.getText()}`);
    if (['&&', '||', '??'].includes(sign)) {
      replace('operand', node, left.getText());
      replace('operand', node, right.getText());
    }
  }

  function breakUnary({ operator, operand }: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression): void {
    if (operator === ts.SyntaxKind.ExclamationToken) replace('negation', node, operand.getText());
    if (operator === ts.SyntaxKind.MinusToken) replace('negation', node, operand.getText());
    if (operator === ts.SyntaxKind.PlusPlusToken) replace('operator', node, `${operand.getText()}--`);
    if (operator === ts.SyntaxKind.MinusMinusToken) replace('operator', node, `${operand.getText()}++`);
  }

  function breakNumber(literal: ts.NumericLiteral): void {
    if (ts.isPropertyAssignment(literal.parent) && literal.parent.name === literal) return;
    const value = Number(literal.text);
    if (value > SMALL) return replace('number', literal, '0');
    replace('number', literal, String(value + 1));
    if (value > 0) replace('number', literal, String(value - 1));
  }

  function breakCall({ expression }: ts.CallExpression): void {
    if (!ts.isPropertyAccessExpression(expression)) return;
    const other = OTHER_CALLS.get(expression.getText()) ?? OTHER_CALLS.get(expression.name.text);
    if (other !== undefined) replace('call', expression.name, other);
    if (NEEDLESS_CALLS.includes(expression.name.text)) replace('call', node, expression.expression.getText());
  }

  function dropEach(elements: ts.NodeArray<ts.Node>): void {
    for (const [index, element] of elements.entries()) {
      const [before, after] = [elements[index - 1], elements[index + 1]];
      const start = after === undefined ? (before?.getEnd() ?? elements.pos) : element.getStart();
      const end = after?.getStart() ?? (before === undefined ? elements.end : element.getEnd());
      changes.push({ operator: 'element', start, end, text: '' });
    }
  }
}

function isResult(node: ts.Node): boolean {
  return ts.isReturnStatement(node.parent) || (ts.isArrowFunction(node.parent) && node.parent.body === node);
}

/** Types, imports, and what is only there for people to read: nothing in it is broken. */
export function isLeftAlone(node: ts.Node): boolean {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return true;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return true;
  if (ts.isNewExpression(node)) return /(Error|Problem)$/.test(node.expression.getText());
  if (ts.isFunctionDeclaration(node)) return /(Message|Text)$|^(describe|mend)/.test(node.name?.text ?? '');
  if (ts.isPropertyAssignment(node) || ts.isVariableDeclaration(node)) return ['message', 'mend', 'text'].includes(node.name.getText());
  if (ts.isExpressionStatement(node)) return /^[\w.]*observe\(\{\s*event: 'warning'/.test(node.getText());
  if (ts.isTemplateExpression(node)) return [node.head, ...node.templateSpans.map(({ literal }) => literal)].some(hasSpace);
  return ts.isStringLiteralLike(node) && hasSpace(node);
}

function hasSpace({ text }: { readonly text: string }): boolean {
  return text.includes(' ');
}
