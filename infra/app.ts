import { App } from 'aws-cdk-lib';
import { StorageStack } from './storage-stack.ts';

const app = new App();
new StorageStack(app, 'OnceflowStorage');
