"""Pure decisions: functions of values, with no await, no clock read and no I/O."""
