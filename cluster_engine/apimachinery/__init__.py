"""What all API objects share: metadata, selectors, quantities, patches, field ownership, errors, schemas."""
