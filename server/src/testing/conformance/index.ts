// What the script that records and compares takes from here.
export { allVariants, compareWithMachine, IMAGE, IMAGE_SOURCES, readRecording, RECORDED, sourcesHash } from './check.ts';
export { compareRecordings } from './compare.ts';
export { imageSource } from './image-source.ts';
export { recordingOf } from './image-run.ts';
export { formatRecording, parseRecording } from './recording.ts';
export { deviationRows } from './report.ts';
