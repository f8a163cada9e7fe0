# fails: births marriages deeds passports archive
for form in births marriages deeds passports archive; do kubectl apply --validate=false -f $form.yaml; done
sleep 10
