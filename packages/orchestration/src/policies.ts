export type FlowPolicyName = 'core' | 'minimal' | 'mark-late';
export type TaskPolicyName = 'core' | 'minimal';
