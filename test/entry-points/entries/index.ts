import { type EntryPoint } from '../cell.js';
import { type EntryPointName } from '../table.js';
import { bullmqEntryPoints } from './bullmq.js';
import { cqrsEntryPoints } from './cqrs.js';
import { gatewayEntryPoints } from './gateways.js';
import { graphqlEntryPoints } from './graphql.js';
import { httpEntryPoints } from './http.js';
import { microserviceEntryPoints } from './microservices.js';
import { scheduleEntryPoints } from './schedule.js';
import { standaloneEntryPoints } from './standalone.js';

export const entries: Record<EntryPointName, EntryPoint> = {
  ...httpEntryPoints,
  ...graphqlEntryPoints,
  ...microserviceEntryPoints,
  ...gatewayEntryPoints,
  ...scheduleEntryPoints,
  ...bullmqEntryPoints,
  ...cqrsEntryPoints,
  ...standaloneEntryPoints,
};
