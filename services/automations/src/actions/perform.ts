import type { ServiceContext } from '@praetor/runtime/service';
import { callWebhook, sendNotification } from './block-actions.ts';
import { changeState, remove, resume } from './flow-run-actions.ts';
import { pauseTarget } from './pause-actions.ts';
import { runDeployment } from './run-deployment.ts';
import { prepareTemplates } from './template-context.ts';
import type { PerformAction } from './worker.ts';

/** Carries out actions of every kind. */
export function createPerformAction(context: ServiceContext): PerformAction {
  return async (triggered, attempt) => {
    const { action } = triggered;
    switch (action.type) {
      case 'do-nothing':
        return {};
      case 'run-deployment':
        return await runDeployment(context, action, triggered);
      case 'cancel-flow-run':
      case 'suspend-flow-run':
      case 'change-flow-run-state':
        return await changeState(context, triggered);
      case 'resume-flow-run':
        return await resume(context, triggered, attempt);
      case 'delete-flow-run':
        return await remove(context, triggered, attempt);
      case 'send-notification': {
        const render = await prepareTemplates(context.database.kysely, triggered, [action.subject, action.body], context.settings.ui.url);
        return await sendNotification(context, action.block_document_id, { subject: render(action.subject), body: render(action.body) }, attempt);
      }
      case 'call-webhook': {
        const render = await prepareTemplates(context.database.kysely, triggered, [action.payload], context.settings.ui.url);
        return await callWebhook(context, action.block_document_id, render(action.payload), attempt);
      }
      default:
        return await pauseTarget(context, action, triggered);
    }
  };
}
