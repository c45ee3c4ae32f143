import { type ISecurityGroup, type IVpc, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { FunctionOptions } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';

/** Where the functions reach Kafka: subnets of a VPC, and the security groups that the brokers let in. */
export interface Network {
  /** From which the brokers are reached. */
  readonly vpc: IVpc;
  /** Where the functions are. @default the VPC's private subnets */
  readonly subnets?: SubnetSelection;
  /** Those of the functions. @default one that is made for the job, from which everything may be reached */
  readonly securityGroups?: readonly ISecurityGroup[];
}

export type Placement = Pick<FunctionOptions, 'vpc' | 'vpcSubnets' | 'securityGroups'>;

/** The same place for all functions of a job. */
export function placementIn(scope: Construct, network: Network | undefined): Placement {
  if (network === undefined) return {};
  const { vpc, subnets, securityGroups } = network;
  return {
    vpc,
    ...(subnets === undefined ? {} : { vpcSubnets: subnets }),
    securityGroups:
      securityGroups === undefined
        ? [new SecurityGroup(scope, 'SecurityGroup', { vpc, description: 'Functions of an Onceflow job' })]
        : [...securityGroups],
  };
}
