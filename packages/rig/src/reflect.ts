// tsyringe throws at import without Reflect metadata. ring3 uses no decorators, so the small form is enough.
import 'reflect-metadata/lite';
