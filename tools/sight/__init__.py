"""Pictures and words in one space: what is looked for is compared with frames themselves."""
