// What the script that records and compares takes from here.
export { imageSource } from './image-source.ts';
export { recordingOf } from './image-run.ts';
export { formatRecording, hashOf } from './recording.ts';
export { readSequences } from './sequence.ts';
export { variantsOf } from './variant.ts';
