"""The workshop: one Faust app and one folder for each standing question of the business."""
